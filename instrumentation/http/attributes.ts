import type { IncomingHttpHeaders } from 'node:http';
import type { Attributes } from '@opentelemetry/api';
import type { RequestMessage } from './server-request.ts';

// Methods beyond these are one label value and one span name, so that a caller cannot invent series.
// @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#common-attributes
const METHODS = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE']);

/** The method as a label: itself, or `_OTHER`. */
export function knownMethod(method: string | undefined): string {
  return method !== undefined && METHODS.has(method) ? method : '_OTHER';
}

/** First word of a span's name: the method, or `HTTP` where it is unknown. */
export function spanMethod(method: string): string {
  return method === '_OTHER' ? 'HTTP' : method;
}

export interface HostAndPort {
  readonly address: string;
  readonly port: number | undefined;
}

const NO_HOST: HostAndPort = { address: '', port: undefined };
let lastHost = '';
let lastSplit = NO_HOST;

/** Host and port of a `Host` or `:authority` header; IPv6 in brackets understood. */
export function splitHost(host: string | undefined): HostAndPort {
  if (!host) return NO_HOST;
  // A server is mostly called by one name.
  if (host !== lastHost) {
    lastSplit = split(host);
    lastHost = host.length < 256 ? host : '';
  }
  return lastSplit;
}

function split(host: string): HostAndPort {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(host);
  if (!match) return { address: host.slice(0, 255), port: undefined };
  return { address: match[1].replace(/^\[|\]$/g, '').slice(0, 255), port: match[2] ? Number(match[2]) : undefined };
}

const ADDRESS = /^[\w.:%[\]-]{1,64}$/;

/** The caller's address: the first of `X-Forwarded-For` where a proxy set it and it looks like one, otherwise the socket's. */
export function clientAddress(headers: IncomingHttpHeaders, peer: string | undefined): string | undefined {
  const forwarded = headers['x-forwarded-for'];
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',', 1)[0].trim();
  return first && ADDRESS.test(first) ? first : peer;
}

/** Who was called, over what. */
export function serverAttributes({ headers, secure, protocolVersion }: RequestMessage): Attributes {
  const { address, port } = splitHost(hostOf(headers));
  return {
    ...(address && { 'server.address': address }),
    'server.port': port ?? (secure ? 443 : 80),
    'network.protocol.version': protocolVersion,
  };
}

export function hostOf(headers: RequestMessage['headers']): string | undefined {
  return headers.host ?? (headers[':authority'] as string | undefined);
}
