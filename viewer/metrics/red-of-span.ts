import type { Attributes, Span } from '../model.ts';
import type { Call, Route } from './red-book.ts';

/**
 * What a span says about the requests that its service serves or makes: a route for work that came from outside (or
 * began here), a call for what it asked of others, undefined for steps within.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/ (with the names of before HTTP and databases became stable)
 */
export function redOfSpan(span: Span): Route | Call | undefined {
  const { attributes, kind } = span;
  switch (kind) {
    case 'server':
      return { method: httpMethod(attributes), route: text(attributes['http.route']) || withoutMethod(span) };
    case 'consumer':
      return { method: '', route: text(attributes['messaging.destination.name']) || span.name };
    case 'client':
    case 'producer':
      return callOf(span);
    default:
      return span.parentSpanId === '' ? { method: '', route: span.name } : undefined;
  }
}

/** Whether a request failed: for a server a status of 500 and above, else what the span's status says. */
export function failed({ kind, status, attributes }: Span): boolean {
  if (status.code === 'error') return true;
  const code = Number(attributes['http.response.status_code'] ?? attributes['http.status_code'] ?? 0);
  return kind === 'server' && code >= 500;
}

function callOf({ attributes, kind, name }: Span): Call {
  const db = first(attributes, 'db.system.name', 'db.system');
  if (db !== '') {
    const operation = first(attributes, 'db.operation.name', 'db.operation');
    const target = first(attributes, 'db.collection.name', 'db.sql.table', 'db.mongodb.collection');
    return { kind: 'db', name: db + (operation && ` ${operation}`) + (target && ` ${target}`) };
  }
  const queue = first(attributes, 'messaging.destination.name', 'messaging.destination');
  if (queue !== '' || kind === 'producer') {
    return { kind: 'messaging', name: [first(attributes, 'messaging.system'), queue || name].join(' ').trim() };
  }
  const method = httpMethod(attributes);
  if (method !== '') return { kind: 'http', name: `${method} ${peerOf(attributes)}`.trim() };
  return { kind: 'other', name };
}

/** Host and port that a call went to, as far as the span tells. */
export function peerOf(attributes: Attributes): string {
  const host = first(attributes, 'server.address', 'net.peer.name', 'peer.service');
  const port = first(attributes, 'server.port', 'net.peer.port');
  return port === '' ? host : `${host}:${port}`;
}

function httpMethod(attributes: Attributes): string {
  return first(attributes, 'http.request.method', 'http.method');
}

/** A server span without a route: named by its method alone, or by what it serves (gRPC, sockets). */
function withoutMethod({ name, attributes }: Span): string {
  const method = httpMethod(attributes);
  if (method === '') return name;
  return name === method || name === 'HTTP' ? '' : name.startsWith(`${method} `) ? name.slice(method.length + 1) : name;
}

function first(attributes: Attributes, ...keys: string[]): string {
  for (const key of keys) {
    const value = text(attributes[key]);
    if (value !== '') return value;
  }
  return '';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
