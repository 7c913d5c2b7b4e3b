// A server that lets a worker thread do its work, and says which ids were seen where.
const http = require('node:http');
const { once } = require('node:events');
const { MessageChannel, Worker } = require('node:worker_threads');
const { correlation } = require('o11y-kit');

const worker = new Worker(
  `const { parentPort } = require('node:worker_threads');
   const { correlation } = require(${JSON.stringify(require.resolve('o11y-kit'))});
   parentPort.on('message', ({ port, id }) => {
     port.postMessage({ seen: correlation.id() ?? null, given: correlation.run(id, () => id) });
   });`,
  { eval: true },
);

const server = http.createServer(async (_, res) => {
  const before = correlation.id();
  const { port1, port2 } = new MessageChannel();
  worker.postMessage({ port: port2, id: before }, [port2]);
  const [answer] = await once(port1, 'message');
  port1.close();
  res.end(JSON.stringify({ before, after: correlation.id(), ...answer }));
});
server.listen(0, '127.0.0.1', () => console.log(`LISTEN ${server.address().port}`));
