// The backend of every variant: takes what they send, keeps it as it is, and counts only when asked, so that decoding does
// not compete with the load. Speaks OTLP/HTTP, Datadog's agent protocol and Sentry's envelopes.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { totalmem } from 'node:os';
import { gunzipSync, inflateSync } from 'node:zlib';
import { decoders } from '../../viewer/otlp/decode.ts';
import { Counter, type Counts } from './counts.ts';
import { AGENT_INFO, countDatadog } from './datadog.ts';
import { countEnvelope } from './sentry.ts';

interface Kept {
  readonly path: string;
  readonly type: string;
  readonly coding: string;
  readonly body: Buffer;
}

/** Bytes kept undecoded; beyond it, counting begins at once, and what comes meanwhile waits. Five sinks may be there at a time. */
const MOST_KEPT = Math.max(512 * 2 ** 20, totalmem() / 16);

let kept: Kept[] = [];
let keptBytes = 0;
const counter = new Counter();
let exports = 0;
let bytes = 0;
let unread = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('error', () => {});
  request.on('end', () => {
    keep(request, Buffer.concat(chunks));
    response.setHeader('content-type', 'application/json');
    response.end(request.url === '/info' ? JSON.stringify(AGENT_INFO) : '{}');
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));

process.on('message', (message: 'count' | 'exports') => {
  if (message === 'exports') process.send!({ exports });
  else process.send!(count());
});
process.on('disconnect', () => process.exit(0));

function keep({ url = '', headers }: IncomingMessage, body: Buffer): void {
  const path = url.split('?')[0];
  const telemetry = path.startsWith('/v1/') || path === '/v0.4/traces' || path.endsWith('/envelope/');
  // Agents also ask for their settings and report on themselves.
  if (!telemetry) return;
  exports++;
  bytes += body.length;
  kept.push({ path, type: headers['content-type'] ?? '', coding: String(headers['content-encoding'] ?? ''), body });
  keptBytes += body.length;
  if (keptBytes > MOST_KEPT) count();
}

function count(): Counts {
  for (const one of kept) {
    try {
      read(one);
    } catch (error) {
      unread++;
      console.error(`sink: ${one.path}: ${error}`);
    }
  }
  kept = [];
  keptBytes = 0;
  return { ...counter.totals, exports, bytes, unread };
}

function read({ path, type, coding, body: sent }: Kept): void {
  const body = coding === 'gzip' ? gunzipSync(sent) : coding === 'deflate' ? inflateSync(sent) : sent;
  const encoding = type.includes('json') ? 'json' : 'protobuf';
  if (path === '/v1/traces') counter.otlpSpans(decoders.traces[encoding](body).records);
  else if (path === '/v1/logs') counter.otlpLogs(decoders.logs[encoding](body).records);
  else if (path === '/v1/metrics') counter.otlpMetrics(decoders.metrics[encoding](body).records);
  else if (path === '/v0.4/traces') countDatadog(body, counter);
  else countEnvelope(body, counter);
}
