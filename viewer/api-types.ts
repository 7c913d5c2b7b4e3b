/**
 * The viewer's JSON API, as its page reads it. Every path is a `GET` below `/api/` unless said otherwise, answers
 * `application/json`, and an error as {@link ApiError} with a fitting status. Nothing changes state but `POST`.
 *
 * Durations are milliseconds. A time is milliseconds since the epoch with a fraction, for showing; where order or
 * equality matters, a decimal string of nanoseconds stands beside it. Text comes as the sender wrote it: show it as text
 * nodes only.
 *
 * | path | query | answer |
 * |---|---|---|
 * | `/api/status` | | {@link Status} |
 * | `/api/overview` | `minutes` (15, at most 30) | {@link Overview} |
 * | `/api/service` | `name`, `minutes` | {@link ServiceView} |
 * | `/api/series` | `service`, `name`, `minutes` | {@link MetricView} |
 * | `/api/map` | `minutes` | {@link ServiceMap} |
 * | `/api/traces` | {@link TraceQuery} | {@link TraceList} |
 * | `/api/trace` | `id` | {@link TraceView}; 404 while nothing of it has arrived: wait for the event |
 * | `/api/span` | `trace`, `span`, `row` | {@link SpanView} |
 * | `/api/logs` | {@link LogQuery} | {@link LogList} |
 * | `/api/health` | | {@link HealthView} |
 * | `/api/events` | | server-sent events `change` with {@link Change}, at most four a second |
 * | `POST /api/clear` | | 204; needs `content-type: application/json` |
 */

/** Milliseconds since the epoch, with a fraction. */
export type Millis = number;
/** Nanoseconds since the epoch, or a number of them, as decimal digits. */
export type Nanos = string;
/** A value as JSON: bytes are base64 strings, integers beyond 2^53 and NaN or ±Infinity are strings. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
/** May hold any key, `__proto__` as well: read it with `Object.entries`. */
export type JsonAttributes = { [key: string]: JsonValue };

export interface ApiError {
  /** What was wrong, and what is allowed. */
  error: string;
}

// ---- status ---------------------------------------------------------------------------------------------------------

export interface Status {
  version: string;
  /** When the viewer started. */
  startedAt: Millis;
  now: Millis;
  storage: Storage;
  /** Telemetry given up, over all since the start or the last clear; all zero if none. */
  dropped: Dropped;
  targets: Target[];
}

export interface Storage {
  usedBytes: number;
  maxBytes: number;
  spans: number;
  traces: number;
  logs: number;
  series: number;
  /** File of `--db`; null if there is none. */
  database: string | null;
}

export interface Dropped {
  /** Whole traces that made room for newer ones, and their spans. */
  evictedTraces: number;
  evictedSpans: number;
  evictedLogs: number;
  /** Spans that came after their trace was evicted. */
  lateSpans: number;
  /** Spans beyond what one trace may take. */
  oversizedSpans: number;
  /** Spans with broken ids, log records and metrics that could not be read. */
  rejected: number;
  /** Metric series beyond the limit. */
  series: number;
  /** By service, whatever of the above had one. */
  byService: { service: string; spans: number; logs: number }[];
}

/** A metrics page that the viewer reads. */
export interface Target {
  url: string;
  /** From the page's `target_info`, or the service that announced the address; null while unknown. */
  service: string | null;
  /** Announced by a service (`o11y.metrics.url`) or given by hand (`--scrape`). */
  source: 'announced' | 'given';
  /** `refused` where an announced address is not on this machine; it is not read then. */
  state: 'new' | 'up' | 'down' | 'refused';
  lastScrape: Millis | null;
  durationMs: number | null;
  series: number;
  /** Why it is down or refused; empty otherwise. */
  error: string;
}

// ---- overview -------------------------------------------------------------------------------------------------------

export interface Overview {
  now: Millis;
  services: ServiceSummary[];
  dropped: Dropped;
}

export interface ServiceSummary {
  service: string;
  /** `service.version` last seen; empty if unknown. */
  version: string;
  /** When something last came from it. */
  lastSeen: Millis;
  /** Over the window asked for. */
  total: RedNumbers;
  /** For sparklines. */
  red: RedSeries;
  /** Worst result of its health checks; null where it has none. */
  health: 'pass' | 'warn' | 'fail' | null;
  /** Processes heard from, by `service.instance.id`. */
  instances: number;
  spans: number;
  logs: number;
  /** Log records of severity error and above in the window. */
  errorLogs: number;
}

export interface RedNumbers {
  /** Requests a second. */
  rate: number;
  /** Requests. */
  count: number;
  errors: number;
  /** Share of requests that failed, 0 to 1; null without requests. */
  errorRatio: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

/** Values in slots of `stepMs`; the first slot begins at `from`. All arrays have one length. */
export interface RedSeries {
  from: Millis;
  stepMs: number;
  /** Requests a second; null where nothing is known (not scraped). */
  rate: (number | null)[];
  /** Failed requests a second. */
  errors: (number | null)[];
  p50: (number | null)[];
  p95: (number | null)[];
  p99: (number | null)[];
  /** Requests that can be opened, at most a few a slot: the slowest ones. */
  exemplars: ExemplarPoint[];
}

export interface ExemplarPoint {
  at: Millis;
  durationMs: number;
  traceId: string;
  spanId: string;
  error: boolean;
}

export interface ServiceView {
  now: Millis;
  summary: ServiceSummary;
  /** From its metrics (every request counted) or, where it has none, from the spans that arrived (sampled). */
  source: 'metrics' | 'spans';
  /** By total time spent, the busiest first. */
  routes: RouteRed[];
  /** Routes beyond the number that is kept. */
  moreRoutes: number;
  /** What it calls: other services, databases. */
  calls: CallRed[];
  /** Runtime, breakers, queues, pools and the rest, in this order; only groups that have something. */
  groups: MetricGroup[];
  /** All series by name, for a look at any of them (`/api/series`). */
  metrics: { name: string; type: string; help: string; series: number }[];
  targets: Target[];
  resource: JsonAttributes;
}

export interface RouteRed {
  /** `GET`; empty for messages and other work. */
  method: string;
  /** Route template, destination or span name; empty for requests without a route. */
  route: string;
  total: RedNumbers;
  red: RedSeries;
}

export interface CallRed {
  kind: 'http' | 'db' | 'messaging' | 'other';
  /** `postgresql SELECT orders`, `GET payments:8080`. */
  name: string;
  total: RedNumbers;
}

export interface MetricGroup {
  id: 'runtime' | 'breakers' | 'queues' | 'pools' | 'streams' | 'work' | 'ai' | 'telemetry';
  title: string;
  panels: MetricPanel[];
}

/** Lines that belong into one chart. */
export interface MetricPanel {
  title: string;
  unit: 'seconds' | 'bytes' | 'ratio' | 'per second' | 'count' | 'state' | 'dollars';
  /** For `state`: what a value means; else absent. */
  states?: { value: number; text: string; level: 'good' | 'warn' | 'bad' }[];
  from: Millis;
  stepMs: number;
  lines: { label: string; values: (number | null)[]; last: number | null }[];
}

export interface MetricView {
  name: string;
  type: string;
  help: string;
  /** Counters as change a second, everything else as it is; a histogram as its count. */
  perSecond: boolean;
  from: Millis;
  stepMs: number;
  series: { labels: Record<string, string>; values: (number | null)[] }[];
  /** Series beyond the 50 with the highest last value. */
  more: number;
}

// ---- map ------------------------------------------------------------------------------------------------------------

export interface ServiceMap {
  nodes: {
    id: string;
    /** A service that sent spans, or what services call: by its name in their spans. */
    kind: 'service' | 'db' | 'messaging' | 'external';
    label: string;
    total: RedNumbers;
  }[];
  edges: { from: string; to: string; total: RedNumbers }[];
}

// ---- traces ---------------------------------------------------------------------------------------------------------

/** Query of `/api/traces`; every given field must hold. */
export interface TraceQuery {
  service?: string;
  /** Route or span name, of any span of the trace. */
  name?: string;
  status?: 'error' | 'ok';
  minMs?: number;
  maxMs?: number;
  /** `key=value` or `key` (present) of one span, repeatable. */
  attr?: string | string[];
  correlation?: string;
  /** Words that must all occur in names, attributes or events of a span; a trace id finds its trace. */
  text?: string;
  /** At most so many; 50 if absent, 500 at most. */
  limit?: number;
  /** {@link TraceList.next} of the page before: older traces. */
  before?: string;
  /** {@link TraceList.newest} of an earlier answer: only traces that are new since. */
  after?: string;
}

export interface TraceList {
  /** The newest first, in the order in which they began to arrive. */
  traces: TraceSummary[];
  /** For `before`; null at the end. */
  next: string | null;
  /** For `after`. */
  newest: string;
  /** Whether the search stopped before it had seen everything; `next` goes on from there. */
  incomplete: boolean;
}

export interface TraceSummary {
  traceId: string;
  /** Name of the root, or of the first span while the root is missing. */
  name: string;
  service: string;
  services: { service: string; spans: number; errors: number }[];
  startedAt: Millis;
  startNs: Nanos;
  /** From the first start to the last end. */
  durationMs: number;
  spans: number;
  errors: number;
  logs: number;
  /** HTTP status of the root span; null if it has none. */
  httpStatus: number | null;
  /** Whether its root has arrived. */
  rootSeen: boolean;
  correlationId: string;
  /** Spans of it that did not fit. */
  droppedSpans: number;
}

/** Bits of {@link TraceRows.mark}. */
export const MARK = {
  /** The span's status is error. */
  error: 1,
  /** A row that stands for a parent which has not arrived; its id is the parent's. */
  missing: 2,
  /** The span starts before or ends after its parent: clocks differ, or work goes on after the answer. */
  outside: 4,
  /** Another span of the trace has the same id. */
  duplicate: 8,
  /** The span was its own ancestor; the circle was cut here. */
  cycle: 16,
  /** It has an exception event. */
  exception: 32,
  /** It links to other spans. */
  links: 64,
} as const;

/** What the waterfall needs, without attributes. */
export interface TraceView {
  summary: TraceSummary;
  /** Grows with every change. */
  version: number;
  services: string[];
  names: string[];
  rows: TraceRows;
}

/**
 * Rows in the order of the tree (each parent before its children, these by their start), one array a column, all of
 * one length. `service` and `name` are places in {@link TraceView.services} and {@link TraceView.names}.
 */
export interface TraceRows {
  id: string[];
  /** Row of the parent, -1 for a root. */
  parent: number[];
  depth: number[];
  /** Rows below this one, children's children included: the next sibling is `row + below + 1`. */
  below: number[];
  name: number[];
  service: number[];
  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number[];
  /** Microseconds (with a fraction) after {@link TraceSummary.startNs}. */
  startUs: number[];
  durationUs: number[];
  /** Bits of {@link MARK}. */
  mark: number[];
  /** Events of the span. */
  events: number[];
  /** Log records that carry the span's id. */
  logs: number[];
}

export interface SpanView {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  service: string;
  kind: string;
  startedAt: Millis;
  startNs: Nanos;
  endNs: Nanos;
  durationMs: number;
  status: { code: 'unset' | 'ok' | 'error'; message: string };
  attributes: JsonAttributes;
  /** `offsetUs` is relative to the span's start. */
  events: { offsetUs: number; name: string; attributes: JsonAttributes }[];
  /** `here` says whether the linked trace is in the viewer. */
  links: { traceId: string; spanId: string; attributes: JsonAttributes; here: boolean }[];
  resource: JsonAttributes;
  scope: { name: string; version: string };
  traceState: string;
  flags: number;
  /** What the sender cut off by its own limits. */
  dropped: { attributes: number; events: number; links: number };
  logs: LogRow[];
}

// ---- logs -----------------------------------------------------------------------------------------------------------

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Query of `/api/logs`; every given field must hold. */
export interface LogQuery {
  service?: string;
  /** This level and above. */
  level?: LogLevel;
  /** Words that must all occur in body or attributes. */
  text?: string;
  correlation?: string;
  trace?: string;
  span?: string;
  /** `key=value` or `key` (present) among the attributes, repeatable. */
  field?: string | string[];
  /** At most so many; 100 if absent, 1,000 at most. */
  limit?: number;
  /** {@link LogList.next} of the page before: older lines. */
  before?: string;
  /** {@link LogList.newest} of an earlier answer: only lines that are new since. */
  after?: string;
}

export interface LogList {
  /** The newest first, in the order of arrival. */
  logs: LogRow[];
  next: string | null;
  newest: string;
  /** Whether the search stopped before it had seen everything; `next` goes on from there. */
  incomplete: boolean;
}

export interface LogRow {
  /** Unique while the viewer runs, growing with arrival. */
  id: string;
  at: Millis;
  timeNs: Nanos;
  level: LogLevel;
  severityText: string;
  service: string;
  /** A text body as it is (it may hold ANSI colours), any other as JSON. */
  body: string;
  attributes: JsonAttributes;
  traceId: string;
  spanId: string;
  correlationId: string;
  scope: string;
  /** Whether its trace is in the viewer. */
  hasTrace: boolean;
}

// ---- health ---------------------------------------------------------------------------------------------------------

export interface HealthView {
  services: ServiceHealth[];
}

export interface ServiceHealth {
  service: string;
  /** `host:port` of the process. */
  instance: string;
  url: string;
  /** `unreachable` where `/health` did not answer, `unknown` before the first answer. */
  status: 'pass' | 'warn' | 'fail' | 'unreachable' | 'unknown';
  checkedAt: Millis | null;
  version: string;
  uptimeSeconds: number | null;
  checks: HealthCheck[];
  /** Why it is unreachable; empty otherwise. */
  error: string;
}

export interface HealthCheck {
  name: string;
  status: 'pass' | 'warn' | 'fail';
  latencyMs: number | null;
  output: string;
  time: string;
}

// ---- live -----------------------------------------------------------------------------------------------------------

/** What changed since the last event; ask for what is shown. The first event comes at once. */
export interface Change {
  /** As `newest` of {@link TraceList} and {@link LogList}. */
  traces: string;
  logs: string;
  /** Ids of traces that got spans or logs, 200 at most. */
  changed: string[];
  /** Whether more than these changed. */
  moreChanged: boolean;
  /** Whether metrics or health are new. */
  metrics: boolean;
  health: boolean;
  /** Number of services known. */
  services: number;
  /** Sum of what was dropped, so that the page can say so. */
  dropped: number;
  /** Grows with `POST /api/clear`: throw away everything shown. */
  generation: number;
}
