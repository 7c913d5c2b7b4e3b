import { randomBytes } from 'node:crypto';

export const newTraceId = () => randomBytes(16).toString('hex');
export const newSpanId = () => randomBytes(8).toString('hex');

export interface SentSpan {
  traceId: string;
  spanId?: string;
  parentSpanId?: string;
  name?: string;
  service?: string;
  /** 1 internal, 2 server, 3 client. */
  kind?: number;
  /** Milliseconds after {@link SendOptions.at}. */
  startMs?: number;
  durationMs?: number;
  error?: string;
  attributes?: Record<string, string | number>;
  events?: { name: string; atMs: number; attributes?: Record<string, string> }[];
}

export interface SentLog {
  body: string;
  service?: string;
  traceId?: string;
  spanId?: string;
  atMs?: number;
  /** 9 info, 13 warn, 17 error. */
  severity?: number;
  attributes?: Record<string, string | number>;
}

export interface SendOptions {
  /** What `startMs` and `atMs` count from; a second ago if absent. */
  at?: number;
}

/** Sends spans as OTLP/JSON, each service in a resource of its own. */
export async function sendSpans(url: string, spans: SentSpan[], { at = Date.now() - 1000 }: SendOptions = {}): Promise<void> {
  const resourceSpans = byService(spans).map(([service, own]) => ({
    resource: { attributes: keyValues({ 'service.name': service }) },
    scopeSpans: [
      {
        spans: own.map((span) => ({
          traceId: span.traceId,
          spanId: span.spanId ?? newSpanId(),
          parentSpanId: span.parentSpanId,
          name: span.name ?? 'work',
          kind: span.kind ?? 1,
          startTimeUnixNano: nanos(at + (span.startMs ?? 0)),
          endTimeUnixNano: nanos(at + (span.startMs ?? 0) + (span.durationMs ?? 5)),
          status: span.error === undefined ? {} : { code: 2, message: span.error },
          attributes: keyValues(span.attributes ?? {}),
          events: (span.events ?? []).map((event) => ({
            name: event.name,
            timeUnixNano: nanos(at + event.atMs),
            attributes: keyValues(event.attributes ?? {}),
          })),
        })),
      },
    ],
  }));
  await post(`${url}/v1/traces`, { resourceSpans });
}

/** Sends log records as OTLP/JSON. */
export async function sendLogs(url: string, logs: SentLog[], { at = Date.now() - 1000 }: SendOptions = {}): Promise<void> {
  const resourceLogs = byService(logs).map(([service, own]) => ({
    resource: { attributes: keyValues({ 'service.name': service }) },
    scopeLogs: [
      {
        logRecords: own.map((log) => ({
          timeUnixNano: nanos(at + (log.atMs ?? 0)),
          severityNumber: log.severity ?? 9,
          body: { stringValue: log.body },
          traceId: log.traceId,
          spanId: log.spanId,
          attributes: keyValues(log.attributes ?? {}),
        })),
      },
    ],
  }));
  await post(`${url}/v1/logs`, { resourceLogs });
}

/** A trace of `count` spans, ten children below each, over three services. */
export function largeTrace(traceId: string, count: number): SentSpan[] {
  const ids = Array.from({ length: count }, (_, n) => n.toString(16).padStart(16, '0').replace(/^0/, 'a'));
  return ids.map((spanId, n) => ({
    traceId,
    spanId,
    parentSpanId: n === 0 ? undefined : ids[Math.floor((n - 1) / 10)],
    name: `step ${n}`,
    service: ['gateway', 'orders', 'payments'][n % 3],
    startMs: (n / count) * 900,
    durationMs: n === 0 ? 1000 : 1 + (n % 40),
  }));
}

function byService<T extends { service?: string }>(records: T[]): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const record of records) {
    const { service = 'shop' } = record;
    groups.set(service, [...(groups.get(service) ?? []), record]);
  }
  return [...groups];
}

async function post(url: string, body: object): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
}

function nanos(ms: number): string {
  return `${BigInt(Math.round(ms * 1000))}000`;
}

function keyValues(attributes: Record<string, string | number>) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { doubleValue: value },
  }));
}
