import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const MISSING =
  'The viewer receives, but its page is not there: it was started from sources that have not been built.\n' +
  '`npm run build` makes the page; `o11y-kit view --no-page` shows requests in the terminal.\n';

interface Asset {
  body: Buffer;
  type: string;
  etag: string;
}

/** The page's files, read once: what is served cannot be anything else on the disk. */
export class Assets {
  readonly #files = new Map<string, Asset>();

  /** @param folder with page.html and what it loads; a folder that is missing is answered with a plain message */
  constructor(folder: string | undefined) {
    for (const name of folder === undefined ? [] : filesIn(folder)) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const body = readFileSync(join(folder!, name));
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
      this.#files.set(`/${name}`, { body, type, etag });
    }
  }

  /** Answers a GET for a file, or with the page for any other path: the page knows its own addresses. */
  serve(req: IncomingMessage, res: ServerResponse, path: string): void {
    const asset = this.#files.get(path) ?? (extname(path) === '' ? this.#files.get('/page.html') : undefined);
    if (asset === undefined) {
      const status = this.#files.size === 0 ? 503 : 404;
      res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
      res.end(status === 503 ? MISSING : 'No such file\n');
      return;
    }
    const { body, type, etag } = asset;
    const headers = { 'content-type': type, etag, 'cache-control': 'no-cache' };
    if (req.headers['if-none-match'] === etag) res.writeHead(304, headers).end();
    else res.writeHead(200, { ...headers, 'content-length': body.length }).end(req.method === 'HEAD' ? undefined : body);
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
