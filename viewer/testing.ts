/**
 * A receiver for tests: `import { startViewer } from 'o11y-kit/testing'`.
 *
 * It listens on a free port in the test's own process, takes OTLP/HTTP (protobuf and JSON) from any OpenTelemetry
 * sender, and lets the test wait for what should arrive.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogRecord, Metric, Span } from './model.ts';
import { listen } from './receive/listen.ts';
import { hostAllowed } from './receive/loopback.ts';
import { createReceiver, type ExportRequest, type Fault } from './receive/receiver.ts';
import { bodyText, logMatcher, spanMatcher } from './testing/filters.ts';
import { type MetricValue, metricValues, seriesKey } from './testing/metric-values.ts';
import { MetricsPages } from './testing/metrics-pages.ts';
import { drawTrace, isComplete, makeTrace, type Trace } from './testing/trace.ts';
import type { TestViewer, ViewerOptions } from './testing/types.ts';
import { createWaiter } from './testing/wait.ts';

export type { Attributes, Exemplar, LogRecord, Scope, Span, SpanEvent, SpanKind, SpanLink, StatusCode, Value } from './model.ts';
export type { ExportRequest, Fault } from './receive/receiver.ts';
export type { AttributesShape, LogFilter, LogShape, SpanFilter, SpanShape } from './testing/filters.ts';
export type { MetricValue } from './testing/metric-values.ts';
export { drawTrace, type Trace } from './testing/trace.ts';
export type { TestViewer, ViewerOptions, WaitOptions } from './testing/types.ts';

/**
 * Starts a receiver in this process. It does not keep the process alive.
 *
 * @throws the error of `listen` where a given port is taken.
 * @example
 * const viewer = await startViewer();
 * const app = spawn('node', ['--import', 'o11y-kit/preload', 'app.js'], {
 *   env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url },
 * });
 * const [span] = await viewer.waitForSpans({ name: 'GET /orders/:id', kind: 'server' });
 * assert.equal(span.attributes['http.response.status_code'], 200);
 * await viewer.close();
 */
export async function startViewer(options: ViewerOptions = {}): Promise<TestViewer> {
  const { port = 0, host, maxRecords = 100_000, maxBodyBytes } = options;
  const spans: Span[] = [];
  const logs: LogRecord[] = [];
  const series = new Map<string, MetricValue>();
  const waiter = createWaiter();
  let intercept: ((request: ExportRequest) => Fault | undefined | Promise<Fault | undefined>) | undefined;
  let dropped = 0;
  const pages = new MetricsPages((values, url) => {
    for (const value of values) keepMetric(value, url);
    waiter.changed();
  });

  function keep<T>(into: T[], records: readonly T[]): void {
    for (const record of records) into.push(record);
    if (into.length > maxRecords) dropped += into.splice(0, into.length - maxRecords).length;
    waiter.changed();
  }

  function keepMetric(value: MetricValue, source: string): void {
    const key = source + seriesKey(value);
    if (series.has(key) || series.size < maxRecords) series.set(key, value);
    else dropped++;
  }

  const receiver = createReceiver({
    maxBodyBytes,
    traces(records) {
      for (const { resource, service } of records) pages.announce(resource, service);
      keep(spans, records);
    },
    logs(records) {
      for (const { resource, service } of records) pages.announce(resource, service);
      keep(logs, records);
    },
    metrics(records: Metric[]) {
      for (const value of records.flatMap(metricValues)) keepMetric(value, '');
      waiter.changed();
    },
    intercept(request) {
      queueMicrotask(waiter.changed);
      return intercept?.(request);
    },
  });

  function handle(req: IncomingMessage, res: ServerResponse): void {
    if (!hostAllowed(req.headers.host, host)) res.writeHead(403).end('Host header: a name of this machine wanted\n');
    else if (!receiver.handle(req, res)) res.writeHead(404).end('POST /v1/traces, /v1/logs or /v1/metrics\n');
  }

  const listening = await listen(handle, port, host);
  for (const server of listening.servers) server.unref();

  const viewer: TestViewer = {
    url: `http://${host === undefined ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${listening.port}`,
    port: listening.port,
    get requests() {
      return receiver.requests;
    },
    get dropped() {
      return dropped;
    },
    spans: (filter) => spans.filter(spanMatcher(filter)),
    logs: (filter) => logs.filter(logMatcher(filter)),
    trace: (traceId) => makeTrace(traceId, viewer.spans({ traceId })),

    waitForSpans(want, { timeout, count = 1 } = {}) {
      const [filter, enough] = typeof want === 'number' ? [undefined, want] : [want, count];
      return waiter.until(
        () => {
          const found = viewer.spans(filter);
          return found.length >= enough ? found : undefined;
        },
        () => `${enough} span(s)${describe(filter)}. ${arrived()}`,
        timeout,
      );
    },

    waitForTrace(want, { timeout, spans: enough = 1 } = {}) {
      return waiter.until(
        () => traces(want).find((trace) => trace.spans.length >= enough && isComplete(trace)),
        () => `a complete trace ${typeof want === 'string' ? want : describe(want)} of ${enough} span(s). ${arrived()}`,
        timeout,
      );
    },

    waitForLogs(want, { timeout, count = 1 } = {}) {
      const [filter, enough] = typeof want === 'number' ? [undefined, want] : [want, count];
      return waiter.until(
        () => {
          const found = viewer.logs(filter);
          return found.length >= enough ? found : undefined;
        },
        () => `${enough} log record(s)${describe(filter)}. ${arrived()}`,
        timeout,
      );
    },

    metrics(name, labels = {}) {
      const wanted = Object.entries(labels);
      return [...series.values()].filter(
        (one) => (one.name === name || one.originalName === name) && wanted.every(([key, value]) => one.labels[key] === value),
      );
    },

    metric(name, labels) {
      const found = viewer.metrics(name, labels);
      if (found.length < 2) return found[0];
      const list = found.map((one) => JSON.stringify({ service: one.service, ...one.labels })).join('\n  ');
      throw new Error(`${found.length} series of ${name} match; name more labels:\n  ${list}`);
    },

    scrape: () => pages.scrape(),

    async waitForMetric(name, labels, { timeout, until = () => true } = {}) {
      const stop = pages.keepScraping();
      try {
        return await waiter.until(
          () => {
            const found = viewer.metric(name, labels);
            return found && until(found) ? found : undefined;
          },
          () => `metric ${name} ${JSON.stringify(labels ?? {})}. ${metricsArrived()}`,
          timeout,
        );
      } finally {
        stop();
      }
    },

    respond(fault) {
      intercept = typeof fault === 'function' ? fault : fault && (() => fault);
    },

    async waitForRequests(count, { timeout } = {}) {
      await waiter.until(
        () => (receiver.requests >= count ? true : undefined),
        () => `${count} export request(s); ${receiver.requests} came. ${arrived()}`,
        timeout,
      );
    },

    clear() {
      spans.length = 0;
      logs.length = 0;
      series.clear();
      pages.clear();
      dropped = 0;
    },

    async close() {
      waiter.close();
      await listening.close();
    },

    [Symbol.asyncDispose]: () => viewer.close(),
  };
  return viewer;

  function traces(want: string | ((trace: Trace) => boolean)): Trace[] {
    if (typeof want === 'string') return [viewer.trace(want.toLowerCase())];
    const byId = new Map<string, Span[]>();
    for (const span of spans) {
      const known = byId.get(span.traceId);
      if (known) known.push(span);
      else byId.set(span.traceId, [span]);
    }
    return [...byId].map(([traceId, members]) => makeTrace(traceId, members)).filter(want);
  }

  /** What there is, for the error of a wait that was in vain. */
  function arrived(): string {
    const counts = `${spans.length} span(s) and ${logs.length} log record(s) came in ${receiver.requests} request(s)`;
    const lines = logs.slice(-20).map((log) => `${log.severityText} ${bodyText(log.body)}`.slice(0, 200));
    const parts = [counts, drawTrace(spans.slice(-50)), lines.join('\n')].filter((part) => part !== '');
    return parts.join('\n').replaceAll('\n', '\n  ');
  }

  function metricsArrived(): string {
    const names = [...new Set([...series.values()].map((one) => one.name))].sort();
    const failures = pages.failures.map((failure) => `\n  ${failure}`).join('');
    return `Metrics that came: ${names.length === 0 ? 'none' : names.join(', ')}${failures}`;
  }
}

function describe(filter: unknown): string {
  if (filter === undefined) return '';
  if (typeof filter === 'function') return ` for which ${String(filter).slice(0, 300)}`;
  return ` like ${JSON.stringify(filter, (_, value) => (value instanceof RegExp ? String(value) : typeof value === 'bigint' ? String(value) : value))}`;
}
