import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiError } from '../api-types.ts';
import { HttpError } from '../receive/http-error.ts';
import { hostAllowed, originAllowed } from '../receive/loopback.ts';
import type { Receiver } from '../receive/receiver.ts';
import { API, type ApiContext } from './api.ts';
import type { Assets } from './assets.ts';
import { setHeaders } from './headers.ts';
import type { Live } from './live.ts';

export interface AppOptions extends ApiContext {
  receiver: Receiver;
  live: Live;
  assets: Assets;
  /** Address that it was told to listen on, if any; answered to as a host name too. */
  host?: string;
}

/** Everything the viewer answers: OTLP, the JSON API, live events, and the page. */
export function createApp({ receiver, live, assets, host, ...context }: AppOptions) {
  return (req: IncomingMessage, res: ServerResponse): void => {
    setHeaders(res, context.version);
    try {
      if (!hostAllowed(req.headers.host, host)) throw new HttpError(403, 'Host header: a name of this machine wanted');
      if (receiver.handle(req, res)) return;
      const url = URL.canParse(req.url ?? '', 'http://viewer') ? new URL(req.url ?? '', 'http://viewer') : undefined;
      if (url === undefined) throw new HttpError(400, 'no such address');
      if (req.method === 'POST') act(req, res, url.pathname);
      else if (req.method !== 'GET' && req.method !== 'HEAD') throw new HttpError(405, 'only GET', { allow: 'GET, HEAD' });
      else if (url.pathname.startsWith('/api/')) read(req, res, url);
      else assets.serve(req, res, url.pathname);
    } catch (error) {
      fail(res, error);
    }
  };

  function read(req: IncomingMessage, res: ServerResponse, { pathname, searchParams }: URL): void {
    ownPagesOnly(req);
    if (pathname === '/api/events') {
      live.open(res);
      return;
    }
    const handler = Object.hasOwn(API, pathname) ? API[pathname] : undefined;
    if (handler === undefined) throw new HttpError(404, `no such path; there are ${Object.keys(API).join(', ')}`);
    json(res, 200, handler(context, searchParams));
  }

  /** What changes something: never by GET, and never for a page of another origin. */
  function act(req: IncomingMessage, res: ServerResponse, path: string): void {
    if (path !== '/api/clear') throw new HttpError(404, 'POST /v1/traces, /v1/logs, /v1/metrics or /api/clear');
    ownPagesOnly(req);
    // Another site's page cannot send this type without asking first, and is never allowed to.
    if (!/^application\/json\b/i.test(req.headers['content-type'] ?? '')) {
      throw new HttpError(415, 'content-type: application/json wanted');
    }
    req.resume();
    context.hub.clear();
    res.writeHead(204).end();
  }
}

function ownPagesOnly({ headers }: IncomingMessage): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const own = origin === undefined || (originAllowed(origin) && new URL(origin).host === host?.toLowerCase());
  if (!own || site === 'cross-site' || site === 'same-site') throw new HttpError(403, 'only for the viewer itself');
}

function json(res: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': body.length };
  res.writeHead(status, headers).end(body);
}

function fail(res: ServerResponse, error: unknown): void {
  if (res.headersSent) {
    res.destroy();
    return;
  }
  const known = error instanceof HttpError;
  if (known) for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value);
  const answer: ApiError = { error: known ? error.message : `the viewer failed: ${(error as Error)?.message}` };
  json(res, known ? error.status : 500, answer);
}
