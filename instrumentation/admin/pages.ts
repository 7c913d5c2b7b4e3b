import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type Diagnostics, reason } from '../diagnostics.ts';
import type { HealthReport, Readiness } from '../health/health.ts';

/** What the pages are made of; in the primary of a cluster it is the sum of all workers. */
export interface Sources {
  /** Undefined where metrics do not leave by being scraped. */
  readonly page: ((accept: string | undefined) => Promise<{ contentType: string; chunks: AsyncIterable<string> }>) | undefined;
  live(): boolean;
  ready(): Readiness;
  report(): HealthReport;
}

const HEALTH_JSON = 'application/health+json';

/** Answers GET and HEAD of `/metrics`, `/health`, `/health/live` and `/health/ready`. */
export function createPages(sources: Sources, diagnostics: Diagnostics): RequestListener {
  const pages: Record<string, (request: IncomingMessage, response: ServerResponse) => void | Promise<void>> = {
    '/metrics': async (request, response) => {
      if (sources.page === undefined) return text(response, 404, 'OTEL_METRICS_EXPORTER does not name prometheus.\n');
      const { contentType, chunks } = await sources.page(request.headers.accept);
      response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store', vary: 'accept' });
      if (request.method === 'HEAD') return void response.end();
      await pipeline(chunks, response);
    },
    '/health': (_request, response) => {
      const report = sources.report();
      json(response, report.status === 'fail' ? 503 : 200, report);
    },
    '/health/live': (_request, response) => json(response, sources.live() ? 200 : 503, { status: 'pass' }),
    '/health/ready': (_request, response) => {
      const { ready, reason: output } = sources.ready();
      json(response, ready ? 200 : 503, { status: ready ? 'pass' : 'fail', output });
    },
  };

  return async (request, response) => {
    // Our own answers never need the body.
    request.resume();
    const path = (request.url ?? '/').split('?', 1)[0];
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    try {
      if (page === undefined) text(response, 404, `Not here. Here are: ${Object.keys(pages).join(', ')}\n`);
      else if (request.method !== 'GET' && request.method !== 'HEAD') {
        response.setHeader('allow', 'GET, HEAD');
        text(response, 405, 'Only GET and HEAD are answered here.\n');
      } else await page(request, response);
    } catch (error) {
      failed(response, path, error, diagnostics);
    }
  };
}

function failed(response: ServerResponse, path: string, error: unknown, diagnostics: Diagnostics): void {
  // The scraper went away in the middle: its business.
  if (response.headersSent || response.destroyed) return void response.destroy();
  diagnostics.warn(`${path} could not be made: ${reason(error)}`, `admin ${path}`);
  text(response, 500, `${path} could not be made: ${reason(error)}\n`);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  end(response, status, HEALTH_JSON, JSON.stringify(value) + '\n');
}

function text(response: ServerResponse, status: number, body: string): void {
  end(response, status, 'text/plain; charset=utf-8', body);
}

function end(response: ServerResponse, status: number, type: string, body: string): void {
  response
    .writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' })
    .end(body);
}
