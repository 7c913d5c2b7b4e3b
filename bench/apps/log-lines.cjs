'use strict';

// Writes LINES lines of pino in the context of one request, RATE a second, and prints what they cost the process:
// {"main": µs of CPU of the main thread a line, "all": µs of CPU of all threads a line}.
const http = require('node:http');
const pino = require('pino');

const lines = Number(process.env.LINES);
const perTick = Number(process.env.RATE) / 100;
const file = { target: 'pino/file', options: { destination: '/dev/null' } };
const transport = {
  target: 'pino-opentelemetry-transport',
  options: {
    resourceAttributes: { 'service.name': 'bench' },
    logRecordProcessorOptions: {
      recordProcessorType: 'batch',
      exporterOptions: { protocol: 'http', httpExporterOptions: { url: `${process.env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/logs` } },
    },
  },
};
const logger = process.env.TRANSPORT ? pino({ transport: { targets: [file, transport] } }) : pino(pino.destination('/dev/null'));

const server = http.createServer((_req, res) => {
  res.end();
  warm(() => measure());
});

function line(i) {
  logger.info({ orderId: i, customer: 'c-1842', items: 3, total: 99.5 }, 'order accepted');
}

function warm(then) {
  for (let i = 0; i < 500; i++) line(i);
  setTimeout(then, 1500);
}

function measure() {
  const all = process.cpuUsage();
  const main = process.threadCpuUsage();
  let written = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < perTick && written < lines; i++) line(written++);
    if (written < lines) return;
    clearInterval(timer);
    // What was handed over is still being sent: its cost is counted too.
    setTimeout(() => {
      const cost = (usage) => (usage.user + usage.system) / lines;
      const result = { main: cost(process.threadCpuUsage(main)), all: cost(process.cpuUsage(all)) };
      process.stderr.write(`${JSON.stringify(result)}\n`);
      server.close();
      setTimeout(() => process.exit(0), 2000).unref();
    }, 2000);
  }, 10);
}

server.listen(0, '127.0.0.1', () => http.get({ port: server.address().port, host: '127.0.0.1' }, (res) => res.resume()));
