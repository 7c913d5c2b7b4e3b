import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';

const APP = join(import.meta.dirname, '../http/apps/server.cjs');

let viewer: TestViewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer.close());

/** Flags that take something away, and whether telemetry still leaves the process with them. */
const FLAGS: [name: string, flags: string[], delivers: boolean][] = [
  ['no eval', ['--disallow-code-generation-from-strings'], true],
  ['no __proto__', ['--disable-proto=throw'], true],
  ['__proto__ deleted', ['--disable-proto=delete'], true],
  ['no addons', ['--no-addons'], true],
  ['frozen intrinsics', ['--frozen-intrinsics'], true],
  ['source maps', ['--enable-source-maps'], true],
  ['warnings are errors', ['--throw-deprecation'], true],
  ['strict rejections', ['--unhandled-rejections=strict'], true],
  ['interpreter alone', ['--max-lazy', '--no-opt'], true],
  ['permissions without threads', ['PERMISSION', '--allow-fs-read=*', '--allow-net'], false],
  ['permissions with threads', ['PERMISSION', '--allow-fs-read=*', '--allow-worker', '--allow-net'], true],
];

for (const { major, path: node, skip } of NODES) {
  describe(`an app on Node ${major} runs as without the kit`, { skip }, () => {
    for (const [name, list, delivers] of FLAGS) {
      const flags = list.map((flag) =>
        flag === 'PERMISSION' ? (major < 24 ? '--experimental-permission' : '--permission') : flag,
      );
      // Up to Node 24 there is no permission for the network: it is free.
      const known = flags.filter((flag) => flag !== '--allow-net' || major > 24);
      it(`${name}: ${list.join(' ')}`, async () => {
        const service = `flags-${major}-${name.replaceAll(' ', '-')}`;
        await using app = await spawnApp({
          args: [...known, APP],
          node,
          endpoint: viewer.url,
          env: { OTEL_SERVICE_NAME: service, O11Y_TARGETS_DIR: undefined },
        });
        const response = await fetch(`http://127.0.0.1:${app.port}/plain`);
        assert.deepEqual([response.status, await response.text()], [200, 'plain']);
        assert.ok(response.headers.get('x-correlation-id'));
        if (delivers) await viewer.waitForSpans({ service }, { timeout: 15_000 });
        const { code, signal } = await app.kill('SIGTERM');
        assert.deepEqual([code, signal], [null, 'SIGTERM'], app.stderr());
        if (!delivers) assert.match(app.stderr(), /O11Y_WORKER: the export thread is gone/);
      });
    }
  });
}
