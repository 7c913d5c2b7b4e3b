import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Span, TestViewer } from '../../viewer/testing.ts';
import { type App, spawnApp } from '../support/app.ts';
import { exchange, headerValues, request } from './raw.ts';

export const FIXTURE = join(import.meta.dirname, 'apps/server.cjs');

/** Ids of a caller. */
export const TRACE = '0af7651916cd43dd8448eb211c80319c';
export const PARENT = 'b7ad6b7169203331';

export type Headers = Record<string, string | string[]>;

export function startServer(viewer: TestViewer, env: Record<string, string> = {}): Promise<App> {
  return spawnApp({ args: [FIXTURE], endpoint: viewer.url, env: { O11Y_ACCESS_LOG: 'off', ...env } });
}

/** Sends a request and returns its span, found by the id in the answer. */
export async function spanFor(viewer: TestViewer, app: App, headers: Headers, target = '/plain', method = 'GET'): Promise<Span> {
  const answer = await exchange(app.port, request(method, target, headers));
  const [id] = headerValues(answer, 'x-correlation-id');
  assert.ok(id, answer);
  const [span] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } }, { timeout: 15_000 });
  return span;
}
