import { randomBytes } from 'node:crypto';
import type { LogRecord, Span } from '../../viewer/model.ts';

/** A decoded span, for parts behind the decoder. */
export function span(input: Partial<Omit<Span, 'startNs' | 'status'>> & { startMs?: number; error?: string } = {}): Span {
  const { startMs = Date.now(), durationMs = 5, error, ...rest } = input;
  const startNs = BigInt(Math.round(startMs * 1000)) * 1000n;
  return {
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    parentSpanId: '',
    name: 'work',
    kind: 'internal',
    startNs,
    endNs: startNs + BigInt(Math.round(durationMs * 1000)) * 1000n,
    durationMs,
    status: { code: error === undefined ? 'unset' : 'error', message: error ?? '' },
    attributes: {},
    events: [],
    links: [],
    resource: {},
    service: 'shop',
    scope: { name: 'test', version: '', attributes: {} },
    flags: 1,
    traceState: '',
    dropped: { attributes: 0, events: 0, links: 0 },
    ...rest,
  };
}

/** A decoded log record. */
export function log(input: Partial<LogRecord> = {}): LogRecord {
  const timeNs = BigInt(Date.now()) * 1_000_000n;
  return {
    timeNs,
    observedNs: timeNs,
    severityNumber: 9,
    severityText: 'INFO',
    body: 'hello',
    attributes: {},
    traceId: '',
    spanId: '',
    flags: 0,
    eventName: '',
    service: 'shop',
    resource: {},
    scope: { name: 'test', version: '', attributes: {} },
    dropped: 0,
    ...input,
  };
}

export function postJson(url: string, body: string | Uint8Array): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

/** GET of the viewer's API. */
export async function api<T>(base: string, path: string): Promise<T> {
  const answer = await fetch(`${base}/api/${path}`);
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${body}`);
  return JSON.parse(body);
}
