import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { loadConfig } from '../../instrumentation/config.ts';
import { KitContext, REQUEST, type RequestState, storage } from '../../instrumentation/context.ts';
import type { Kit } from '../../instrumentation/kit.ts';
import { startLibraries } from '../../instrumentation/libraries/index.ts';

/** A copy of `require` of the folder in which the frameworks are installed. */
export const appRequire = createRequire(new URL('../apps/package.json', import.meta.url));

export interface Messages {
  readonly warn: string[];
  readonly debug: string[];
}

/** The parts of the kit that libraries use: the real configuration, and diagnostics and adoptions that are kept to look at. */
export function kitForLibraries(env: Record<string, string> = {}) {
  const messages: Messages = { warn: [], debug: [] };
  const adopted: { by: string; exports: unknown }[] = [];
  const adopt = (by: string) => (exports: unknown) => void adopted.push({ by, exports });
  const kit = {
    config: loadConfig(env).config,
    diagnostics: {
      warn: (message: string) => void messages.warn.push(message),
      debug: (message: string) => void messages.debug.push(message),
    },
    logs: { adoptPino: adopt('pino'), adoptWinston: adopt('winston') },
    metrics: { adopt: adopt('prom-client') },
  } as unknown as Kit;
  return { kit, messages, adopted };
}

/** What a request left behind, read when its response was finished. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly route: string | undefined;
  readonly error: unknown;
}

/**
 * Puts a RequestState on each HTTP/1 request, as the kit's HTTP server does, and keeps what libraries wrote into it.
 * Without spans and metrics: what is tested is the libraries alone.
 */
export function watchRequests(): { seen: Seen[]; stop(): void } {
  const seen: Seen[] = [];
  const original = http.Server.prototype.emit;
  http.Server.prototype.emit = function (this: http.Server, event: string, ...args: any[]) {
    if (event !== 'request') return Reflect.apply(original, this, [event, ...args]);
    const [req, res] = args as [http.IncomingMessage, http.ServerResponse];
    const state = { route: undefined, error: undefined } as unknown as RequestState;
    const context = new KitContext(undefined, undefined, state);
    (req as any)[REQUEST] = state;
    (res as any)[REQUEST] = state;
    const { method = '', url = '' } = req;
    res.once('finish', () => {
      const route = typeof state.route === 'function' ? state.route(state.routeSubject, state.routeRoot) : state.route;
      seen.push({ method, url, status: res.statusCode, route, error: state.error });
    });
    return storage.run(context, () => Reflect.apply(original, this, [event, ...args]));
  } as typeof original;
  return {
    seen,
    stop() {
      http.Server.prototype.emit = original;
    },
  };
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Sends requests to a listening server one after the other and waits until each is finished. */
export async function callAll(server: http.Server, calls: readonly Call[]): Promise<void> {
  const { port } = server.address() as AddressInfo;
  for (const { method = 'GET', path, body } of calls) {
    await new Promise<void>((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length };
      const req = http.request({ port, host: '127.0.0.1', method, path, headers, agent: false }, (res) => {
        res.resume().once('close', resolve);
      });
      req.once('error', reject).end(payload);
    });
  }
}

export async function listen(handler: http.RequestListener): Promise<http.Server> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Real libraries and requests, observed; `stop` takes everything back and says that nothing was warned of. */
export function observe(env: Record<string, string> = {}) {
  const { kit, messages, adopted } = kitForLibraries(env);
  const libraries = startLibraries(kit, undefined, { entry: appRequire.resolve('./package.json') });
  const requests = watchRequests();
  let wired: string[] = [];
  return {
    seen: requests.seen,
    messages,
    adopted,
    /** `name version` of what was wired until `stop`. */
    wired: () => wired,
    stop() {
      wired = libraries.wired().map(({ name, version }) => `${name} ${version}`);
      requests.stop();
      libraries.stop();
      assert.deepEqual(messages.warn, []);
    },
  };
}

/** One line a request: method, status, route and the message of the error. */
export function summary(seen: readonly Seen[]): string[] {
  return seen.map(({ method, status, route, error }) => {
    const message = error === undefined ? '' : `: ${error instanceof Error ? error.message : String(error)}`;
    return `${method} ${status} ${route ?? ''}${message}`;
  });
}

/** The version of a package that test/apps has, by the folder under node_modules that it came from. */
export function versionOf(name: string): string {
  return JSON.parse(readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}
