/** Senders that others wrote, from their own release: what they send must show up complete. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtobufMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { LogList, SpanView, TraceList, TraceView } from '../../viewer/api-types.ts';
import { startViewerServer, type Viewer } from '../../viewer/viewer.ts';
import { api } from './viewer-client.ts';

const run = promisify(execFile);
const resource = resourceFromAttributes({ 'service.name': 'foreign', 'service.namespace': 'abroad' });

/** Kept between runs, because PyPI is asked for it. */
const PYTHON = join(import.meta.dirname, '../../node_modules/.cache/o11y-kit/python-otlp');
const PACKAGES = ['opentelemetry-sdk==1.39.1', 'opentelemetry-exporter-otlp-proto-http==1.39.1'];

/** Where Python's exporter is; undefined where Python, venv or PyPI are out of reach. */
async function python(): Promise<string | undefined> {
  const program = join(PYTHON, 'bin', 'python');
  if (existsSync(program)) return program;
  const unfinished = `${PYTHON}-${process.pid}`;
  try {
    mkdirSync(PYTHON, { recursive: true });
    await run('python3', ['-m', 'venv', '--copies', unfinished], { timeout: 60_000 });
    await run(join(unfinished, 'bin', 'python'), ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', ...PACKAGES], {
      timeout: 120_000,
    });
    rmSync(PYTHON, { recursive: true, force: true });
    renameSync(unfinished, PYTHON);
    return program;
  } catch {
    rmSync(unfinished, { recursive: true, force: true });
    return undefined;
  }
}

// Before the first suite: tests begin while this file is still waited for.
const interpreter = await python();

let viewer: Viewer;
before(async () => {
  viewer = await startViewerServer({ port: 0, version: '0' });
});
beforeEach(() => viewer.hub.clear());
after(() => viewer.close());

/** Looks at what has arrived as a user of the page would. */
async function shown() {
  const { traces } = await api<TraceList>(viewer.url, 'traces');
  const view = await api<TraceView>(viewer.url, `trace?id=${traces[0].traceId}`);
  const outline = view.rows.id.map((_, row) => `${'-'.repeat(view.rows.depth[row])}${view.names[view.rows.name[row]]}`);
  const spans = await Promise.all(
    view.rows.id.map((id) => api<SpanView>(viewer.url, `span?trace=${traces[0].traceId}&span=${id}`)),
  );
  const { logs } = await api<LogList>(viewer.url, 'logs');
  return { traces, outline, spans, logs };
}

describe('the official exporters of JavaScript', () => {
  const kinds = [
    { name: 'JSON', Traces: JsonTraces, Logs: JsonLogs, Metrics: JsonMetrics, compression: CompressionAlgorithm.NONE },
    {
      name: 'protobuf',
      Traces: ProtobufTraces,
      Logs: ProtobufLogs,
      Metrics: ProtobufMetrics,
      compression: CompressionAlgorithm.NONE,
    },
    {
      name: 'protobuf, gzip',
      Traces: ProtobufTraces,
      Logs: ProtobufLogs,
      Metrics: ProtobufMetrics,
      compression: CompressionAlgorithm.GZIP,
    },
  ];
  for (const { name, Traces, Logs, Metrics, compression } of kinds) {
    it(name, async () => {
      const options = (signal: string) => ({ url: `${viewer.url}/v1/${signal}`, compression });
      const traces = new TracerProvider({
        resource,
        spanProcessors: [new SimpleSpanProcessor({ exporter: new Traces(options('traces')) })],
      });
      const logs = new LoggerProvider({
        resource,
        processors: [new SimpleLogRecordProcessor({ exporter: new Logs(options('logs')) })],
      });
      const reader = new PeriodicExportingMetricReader({
        exporter: new Metrics(options('metrics')),
        exportIntervalMillis: 3_600_000,
      });
      const metrics = new MeterProvider({ resource, readers: [reader] });

      const tracer = traces.getTracer('my-lib', '2.0');
      const root = tracer.startSpan('GET /a', { kind: SpanKind.SERVER }, ROOT_CONTEXT);
      const inside = trace.setSpan(ROOT_CONTEXT, root);
      const child = tracer.startSpan('work', { attributes: { text: 'ü', list: [1, 2.5], yes: true } }, inside);
      child.recordException(new TypeError('no such thing'));
      child.setStatus({ code: SpanStatusCode.ERROR, message: 'no such thing' });
      child.end();
      root.end();
      logs.getLogger('log-lib').emit({ body: 'hello', severityNumber: 13, attributes: { n: 1 }, context: inside });
      metrics.getMeter('meter').createCounter('things').add(3, { colour: 'red' });
      await Promise.all([traces.forceFlush(), logs.forceFlush(), metrics.forceFlush()]);

      const { outline, spans, logs: lines } = await shown();
      assert.deepEqual(outline, ['GET /a', '-work']);
      const [, work] = spans;
      assert.equal(work.service, 'abroad/foreign');
      assert.deepEqual(work.attributes, { text: 'ü', list: [1, 2.5], yes: true });
      assert.deepEqual(work.status, { code: 'error', message: 'no such thing' });
      assert.equal(work.events[0].attributes['exception.type'], 'TypeError');
      assert.deepEqual(work.scope, { name: 'my-lib', version: '2.0' });
      assert.deepEqual(
        lines.map(({ body, level, spanId, attributes }) => ({ body, level, spanId, attributes })),
        [{ body: 'hello', level: 'warn', spanId: root.spanContext().spanId, attributes: { n: 1 } }],
      );
      const things = viewer.hub.metrics.families('abroad/foreign').get('things_total')!;
      assert.deepEqual(
        [...things.series.values()].map(({ labels, last }) => [{ ...labels }, last]),
        [[{ colour: 'red' }, 3]],
      );
      await Promise.all([traces.shutdown(), logs.shutdown(), metrics.shutdown()]);
      context.disable();
    });
  }
});

const SCRIPT = `
import logging, sys
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

url, packed = sys.argv[1], {"none": Compression.NoCompression, "gzip": Compression.Gzip, "deflate": Compression.Deflate}[sys.argv[2]]
resource = Resource.create({"service.name": "snake"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url + "/v1/traces", compression=packed)))
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(url + "/v1/logs", compression=packed)))
metrics = MeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(OTLPMetricExporter(url + "/v1/metrics", compression=packed))])
logger = logging.getLogger("app")
logger.addHandler(LoggingHandler(logger_provider=logs))
tracer = traces.get_tracer("py-lib", "3.1")
with tracer.start_as_current_span("GET /snake", kind=trace.SpanKind.SERVER) as root:
    try:
        with tracer.start_as_current_span("work", attributes={"n": 2**60, "ratio": 0.5, "names": ["a", "b"]}):
            logger.warning("slow: %s", "ünïcode")
            raise ValueError("broken")
    except ValueError:
        pass
metrics.get_meter("m").create_histogram("http.server.request.duration", unit="s").record(0.2, {"http.request.method": "GET", "http.route": "/snake"})
for provider in (traces, logs, metrics):
    provider.shutdown()
`;

const skip = interpreter === undefined && 'needs pypi: python3 with venv, and https://pypi.org';

describe('the official exporters of Python', { skip }, () => {
  for (const compression of ['none', 'gzip', 'deflate']) {
    it(`protobuf, compression ${compression}`, { timeout: 60_000 }, async () => {
      // A proxy of the machine is for other machines.
      const env = { ...process.env, NO_PROXY: '*', no_proxy: '*' };
      const { stderr } = await run(interpreter!, ['-c', SCRIPT, viewer.url, compression], { env });
      // It ends well even if nothing could be sent, and says so on stderr only.
      assert.equal(stderr, '');
      assert.deepEqual([viewer.hub.traces.spans, viewer.hub.logs.size], [2, 1]);
      const { outline, spans, logs } = await shown();
      assert.deepEqual(outline, ['GET /snake', '-work']);
      assert.deepEqual(spans[1].attributes, { n: String(2n ** 60n), ratio: 0.5, names: ['a', 'b'] });
      assert.deepEqual(spans[1].status, { code: 'error', message: 'ValueError: broken' });
      assert.equal(spans[1].events[0].name, 'exception');
      assert.deepEqual([logs[0].body, logs[0].level, logs[0].spanId], ['slow: ünïcode', 'warn', spans[1].spanId]);
      assert.ok(viewer.hub.metrics.families('snake').has('http_server_request_duration_seconds'));
    });
  }
});
