import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { type Exit, spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';
import { exchange, request } from './raw.ts';

const FIXTURE = join(import.meta.dirname, 'apps/crash.cjs');

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());

async function crash(mode: string, node: string, id: string, preload: 'import' | false): Promise<Exit & { stderr: string }> {
  await using app = await spawnApp({
    args: [FIXTURE],
    node,
    preload,
    endpoint: viewer.url,
    env: { MODE: mode, O11Y_QUIET: '1' },
  });
  if (mode === 'stream') {
    const session = http2.connect(`http://127.0.0.1:${app.port}`).on('error', () => {});
    const stream = session.request({ ':path': '/', 'x-correlation-id': id }).on('error', () => {});
    await new Promise((resolve) => stream.resume().once('close', resolve));
    session.destroy();
  } else {
    const text = request('POST', '/pay', { 'x-correlation-id': id, 'content-length': '5' }, 'hello');
    await exchange(app.port, text).catch(() => {});
  }
  return { ...(await app.exited), stderr: app.stderr() };
}

/** What Node says of the exception, up to the stack: file and line, the line itself, a mark below it, the message. */
const report = (stderr: string) =>
  stderr
    .split(/\n {4}at /)[0]
    .replace(/\nNode\.js v[\s\S]*/, '')
    .trim();

const MODES = ['handler', 'timer', 'body', 'promise', 'number', 'stream'];

for (const { major, path: node, skip } of NODES) {
  describe(`an exception under a request on Node ${major} ends the app as without the kit, and its span arrives`, {
    skip,
  }, () => {
    for (const mode of MODES) {
      it(mode, async () => {
        const type = mode === 'number' ? '_OTHER' : 'PaymentError';
        const id = `crash-${major}-${mode}`;
        const [own, bare] = await Promise.all([crash(mode, node, id, 'import'), crash(mode, node, id, false)]);
        assert.deepEqual([own.code, own.signal], [bare.code, bare.signal]);
        assert.equal(report(own.stderr), report(bare.stderr));
        const [span] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } }, { timeout: 15_000 });
        assert.deepEqual(
          [span.status.code, span.attributes['error.type'], span.attributes['http.response.status_code']],
          ['error', type, undefined],
        );
        const [event] = span.events;
        assert.equal(event?.name, 'exception');
        if (type !== '_OTHER') assert.match(String(event.attributes['exception.stacktrace']), /crash\.cjs/);
        const [line] = await viewer.waitForLogs((log) => log.severityNumber === 21 && log.traceId === span.traceId, {
          timeout: 15_000,
        });
        assert.equal(line.attributes.correlation_id, id, 'the fatal line belongs to the request');
      });
    }
  });
}
