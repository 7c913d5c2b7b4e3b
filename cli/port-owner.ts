import { request } from 'node:http';
import { IDENTITY_HEADER } from '../viewer/server/headers.ts';

/** Who answers on a port. */
export type Owner =
  | { kind: 'nobody' }
  /** A viewer of this kit, and its version. */
  | { kind: 'viewer'; version: string }
  /** Something that takes OTLP/HTTP: a collector, or a backend with a receiver. */
  | { kind: 'collector'; server: string }
  /** Anything else; what it says of itself, if it does. */
  | { kind: 'other'; server: string };

const TIMEOUT_MS = 2000;

/** Finds out who listens on a port of this machine. Never throws. */
export async function portOwner(port: number): Promise<Owner> {
  const body = JSON.stringify({ resourceSpans: [] });
  for (const host of ['127.0.0.1', '::1']) {
    const answer = await ask(host, port, body);
    if (answer === undefined) continue;
    if (answer === 'silent') return { kind: 'other', server: '' };
    const { status, headers } = answer;
    const identity = headers[IDENTITY_HEADER];
    if (typeof identity === 'string') return { kind: 'viewer', version: identity };
    const server = String(headers.server ?? headers['x-powered-by'] ?? '').slice(0, 100);
    return { kind: status === 200 && isExportReply(answer.body) ? 'collector' : 'other', server };
  }
  return { kind: 'nobody' };
}

/** What to tell someone who wanted the port. */
export function describe(port: number, owner: Owner): string {
  const other = 'or give --port N and set OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:N for the apps';
  const by = 'server' in owner && owner.server !== '' ? ` (it says "${owner.server}")` : '';
  switch (owner.kind) {
    case 'nobody':
      return `Port ${port} cannot be used, though nobody answers there.`;
    case 'viewer':
      return `A viewer (${owner.version}) already answers on port ${port}: open http://localhost:${port}, ${other}.`;
    case 'collector':
      return (
        `An OpenTelemetry collector${by} already answers on port ${port}: apps send to it, and its backends show what ` +
        `they send.\nStop it to use the viewer in its place, ${other}.`
      );
    case 'other':
      return `Something else${by} listens on port ${port}, and it does not take telemetry.\nStop it, ${other}.`;
  }
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** @returns undefined if nobody listens, `silent` if who listens does not speak HTTP */
function ask(host: string, port: number, body: string): Promise<Answer | 'silent' | undefined> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const options = { host, port, path: '/v1/traces', method: 'POST', headers, agent: false, timeout: TIMEOUT_MS };
    const req = request(options, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        if (text.length < 10_000) text += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text }));
      res.on('error', () => resolve('silent'));
    });
    req.on('timeout', () => req.destroy(new Error('timeout')));
    req.on('error', (error: NodeJS.ErrnoException) => {
      const nobody = ['ECONNREFUSED', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH', 'EHOSTUNREACH'];
      resolve(nobody.includes(error.code ?? '') ? undefined : 'silent');
    });
    req.end(body);
  });
}

/** `{}` or `{"partialSuccess":{…}}`. */
function isExportReply(body: string): boolean {
  try {
    const json = JSON.parse(body);
    return typeof json === 'object' && json !== null && Object.keys(json).every((key) => key === 'partialSuccess');
  } catch {
    return false;
  }
}
