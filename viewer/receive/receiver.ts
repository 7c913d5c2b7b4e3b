import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LogRecord, Metric, Signal, Span } from '../model.ts';
import { DecodeError, decoders, type Encoding } from '../otlp/decode.ts';
import { errorReply, exportReply } from '../otlp/reply.ts';
import { type Load, readBody } from './body.ts';
import { HttpError } from './http-error.ts';
import { originAllowed } from './loopback.ts';

/** Bytes that one body may have, inflated; senders batch far below it. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** An export request, as {@link ReceiverOptions.intercept} sees it. */
export interface ExportRequest {
  signal: Signal;
  encoding: Encoding;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The inflated body. */
  body: Buffer;
  /** 1 for the first request, over all signals. */
  number: number;
}

/** How to answer instead of accepting. Nothing is stored unless only `delayMs` is given. */
export interface Fault {
  /** The status to answer with; what was sent is not stored. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Wait this long (ms) before answering. */
  delayMs?: number;
  /** Never answer. */
  hang?: boolean;
  /** Break the connection without an answer. */
  reset?: boolean;
}

export interface ReceiverOptions {
  traces(spans: Span[]): void;
  logs(records: LogRecord[]): void;
  metrics(metrics: Metric[]): void;
  /** Records that had to be refused. */
  rejected?(count: number): void;
  /** Called once a body is read, before it is decoded. */
  intercept?: (request: ExportRequest) => Fault | undefined | Promise<Fault | undefined>;
  /** {@link MAX_BODY_BYTES} if absent. */
  maxBodyBytes?: number;
}

export interface Receiver {
  /** Answers the request if it is for an OTLP path; says whether it was. Never throws. */
  handle(req: IncomingMessage, res: ServerResponse): boolean;
  /** Export requests whose body was read, accepted or not. */
  readonly requests: number;
}

const PATHS: Record<string, Signal> = { '/v1/traces': 'traces', '/v1/logs': 'logs', '/v1/metrics': 'metrics' };

/** The server side of OTLP/HTTP. @see https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { maxBodyBytes = MAX_BODY_BYTES } = options;
  const load: Load = { bytes: 0, maxBytes: 4 * maxBodyBytes };
  let requests = 0;

  async function receive(req: IncomingMessage, res: ServerResponse, signal: Signal): Promise<void> {
    const encoding = encodingOf(req.headers['content-type']);
    const body = await readBody(req, maxBodyBytes, load);
    requests++;
    const fault = await options.intercept?.({ signal, encoding, headers: req.headers, body, number: requests });
    if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs).unref());
    if (fault?.reset) res.destroy();
    else if (fault?.status !== undefined) res.writeHead(fault.status, fault.headers).end(fault.body ?? '');
    else if (!fault?.hang) send(res, 200, encoding, accept(signal, encoding, body));
  }

  function accept(signal: Signal, encoding: Encoding, body: Buffer): Buffer {
    const { rejected, reason } = store(signal, encoding, body);
    if (rejected > 0) options.rejected?.(rejected);
    return exportReply(signal, encoding, { rejected, reason });
  }

  /** Decodes and hands over; everything is synchronous from here, so that an answered batch is stored. */
  function store(signal: Signal, encoding: Encoding, body: Buffer) {
    switch (signal) {
      case 'traces': {
        const decoded = decoders.traces[encoding](body);
        options.traces(decoded.records);
        return decoded;
      }
      case 'logs': {
        const decoded = decoders.logs[encoding](body);
        options.logs(decoded.records);
        return decoded;
      }
      case 'metrics': {
        const decoded = decoders.metrics[encoding](body);
        options.metrics(decoded.records);
        return decoded;
      }
    }
  }

  return {
    get requests() {
      return requests;
    },
    handle(req, res) {
      const signal = PATHS[(req.url ?? '').split('?', 1)[0]];
      if (signal === undefined) return false;
      allowLocalPages(req, res);
      if (req.method === 'OPTIONS') {
        res.writeHead(204, { allow: 'POST, OPTIONS' }).end();
      } else {
        checked(req)
          .then(() => receive(req, res, signal))
          .catch((error) => fail(req, res, error));
      }
      return true;
    },
  };
}

/** Refuses what a page of a foreign site could send without asking first. */
async function checked(req: IncomingMessage): Promise<void> {
  const { origin } = req.headers;
  if (origin !== undefined && !originAllowed(origin)) {
    throw new HttpError(403, `pages of ${origin.slice(0, 100)} may not send here, only those of this machine`);
  }
  if (req.method !== 'POST') throw new HttpError(405, 'only POST', { allow: 'POST, OPTIONS' });
}

/** CORS, for browser instrumentation under development. */
function allowLocalPages(req: IncomingMessage, res: ServerResponse): void {
  const { origin } = req.headers;
  res.setHeader('vary', 'origin');
  if (origin === undefined || !originAllowed(origin)) return;
  res.setHeader('access-control-allow-origin', origin);
  if (req.method !== 'OPTIONS') return;
  res.setHeader('access-control-allow-methods', 'POST');
  res.setHeader('access-control-allow-headers', req.headers['access-control-request-headers'] ?? 'content-type');
  res.setHeader('access-control-allow-private-network', 'true');
  res.setHeader('access-control-max-age', '7200');
}

function encodingOf(contentType = ''): Encoding {
  const type = contentType.split(';', 1)[0].trim().toLowerCase();
  if (type === 'application/json') return 'json';
  if (type === 'application/x-protobuf' || type === 'application/protobuf') return 'protobuf';
  const got = type === '' ? 'none' : `"${type.slice(0, 60)}"`;
  throw new HttpError(415, `content-type ${got}: application/x-protobuf or application/json wanted`);
}

function fail(req: IncomingMessage, res: ServerResponse, error: unknown): void {
  if (res.headersSent || res.destroyed) return;
  const refused =
    error instanceof HttpError
      ? error
      : error instanceof DecodeError
        ? new HttpError(400, error.message)
        : new HttpError(500, `failed to store: ${(error as Error)?.message ?? error}`);
  const json = (req.headers['content-type'] ?? '').includes('json');
  for (const [name, value] of Object.entries(refused.headers)) res.setHeader(name, value);
  if (!req.complete) closeAfter(req, res);
  send(res, refused.status, json ? 'json' : 'protobuf', errorReply(json ? 'json' : 'protobuf', refused.message));
}

/** A body that is not read to its end: answer, let the sender see the answer, then close. */
function closeAfter(req: IncomingMessage, res: ServerResponse): void {
  res.setHeader('connection', 'close');
  res.once('finish', () => {
    req.on('error', () => {});
    req.resume();
    setTimeout(() => req.destroy(), 1000).unref();
  });
}

function send(res: ServerResponse, status: number, encoding: Encoding, body: Buffer): void {
  const type = encoding === 'json' ? 'application/json' : 'application/x-protobuf';
  res.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body);
}
