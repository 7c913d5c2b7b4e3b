import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { spawnApp } from '../support/app.ts';
import { NODES } from '../support/nodes.ts';

const MODULES = join(import.meta.dirname, '../../node_modules');
const TRACE = '0af7651916cd43dd8448eb211c80319c';

let viewer: TestViewer;
let folder: string;
before(async () => {
  viewer = await startViewer();
  folder = mkdtempSync(join(tmpdir(), 'o11y-kit-api-'));
  // A later minor version of the API, which does not talk to one that was registered by an earlier.
  const later = join(folder, 'later');
  cpSync(join(MODULES, '@opentelemetry/api'), later, { recursive: true });
  const own = JSON.parse(readFileSync(join(later, 'package.json'), 'utf8')).version;
  for (const name of readdirSync(join(later, 'dist')).filter((each) => /^version\.[cm]js$/.test(each))) {
    const file = join(later, 'dist', name);
    writeFileSync(file, readFileSync(file, 'utf8').replace(own, '1.99.0'));
  }
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await viewer.close();
});

async function call(api: string, node: string, service: string) {
  await using app = await spawnApp({
    args: [join(import.meta.dirname, 'api-app.cjs')],
    node,
    endpoint: viewer.url,
    env: { API: api, OTEL_SERVICE_NAME: service },
  });
  const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, baggage: 'user=7' };
  const answer: any = await (await fetch(`http://127.0.0.1:${app.port}/`, { headers })).json();
  await viewer.waitForSpans({ service, kind: 'server' }, { timeout: 15_000 });
  return { answer, page: await app.metrics() };
}

for (const { major, path: node, skip } of NODES) {
  describe(`copies of @opentelemetry/api on Node ${major}`, { skip }, () => {
    for (const [name, api] of Object.entries({ 'the version of the kit': '@opentelemetry/api', 'an earlier one': 'api19' })) {
      it(`${name}: spans made by hand, baggage and meters are the kit's`, async () => {
        const service = `copy-${major}-${api.replace(/\W/g, '')}`;
        const { answer, page } = await call(join(MODULES, api), node, service);
        const { carrier, ...rest } = answer;
        assert.deepEqual(rest, { active: TRACE, inside: true, kept: true, user: '7' });
        const [span] = await viewer.waitForSpans({ service, name: 'by hand' }, { timeout: 15_000 });
        const [server] = viewer.spans({ service, kind: 'server' });
        assert.deepEqual([span.traceId, span.parentSpanId], [TRACE, server.spanId]);
        assert.deepEqual([span.scope.name, span.scope.version, span.events.length], ['manual', '2', 1]);
        assert.equal(span.attributes['correlation.id'], server.attributes['correlation.id']);
        assert.equal(carrier.traceparent, `00-${TRACE}-${span.spanId}-01`);
        assert.match(carrier.baggage, /user=7/);
        assert.match(page, /^shop_sold_total 2$/m);
      });
    }

    it('a later one: its calls do nothing, as without any SDK; the app and the rest of the kit work', async () => {
      const service = `copy-${major}-later`;
      const { answer } = await call(join(folder, 'later'), node, service);
      assert.equal(answer.active, 'none');
      assert.deepEqual(viewer.spans({ service, name: 'by hand' }), []);
    });
  });
}
