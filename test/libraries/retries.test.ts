import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { startViewer, type TestViewer } from '../../viewer/testing.ts';
import { startScenario } from './resilience-app.ts';

interface Row {
  readonly packages: readonly string[];
  readonly scenario: string;
  /** The name of the retries, by the host that is called. */
  name(host: string): string;
  /** Whether an attempt that worked is told of. */
  readonly successes: boolean;
}

const ROWS: readonly Row[] = [
  { packages: ['p-retry4'], scenario: 'retries:p-retry', name: () => 'fetchRates', successes: false },
  { packages: ['got11'], scenario: 'retries:got', name: (host) => `got ${host}`, successes: true },
  { packages: ['got16'], scenario: 'retries:got', name: (host) => `got ${host}`, successes: true },
  { packages: ['axios', 'axios-retry'], scenario: 'retries:axios', name: (host) => `axios ${host}`, successes: true },
];

describe('retries', { timeout: 60_000 }, () => {
  let viewer: TestViewer;
  let failures = 0;
  /** `/works`; `/once/…` fails the first time it is asked; `/fails`. */
  const server = createServer((req, res) => {
    const path = req.url ?? '';
    const fails = path === '/fails' || (path.startsWith('/once') && failures++ === 0);
    res.writeHead(fails ? 503 : 200).end();
  });
  before(async () => {
    viewer = await startViewer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await viewer.close();
  });

  for (const { packages, scenario: script, name, successes } of ROWS) {
    for (const kind of ['cjs', 'mjs'] as const) {
      it(`${packages[0]} in ${kind}: attempts that worked, failed, failed for good; events on the request`, async () => {
        const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
        failures = 0;
        await using scenario = await startScenario(viewer, kind, script, packages, {
          env: { TARGET_URL: `http://${host}`, OTEL_SERVICE_NAME: `${packages[0]}-${kind}` },
        });
        assert.equal((await scenario.ask('get?path=works')).body, 200);
        assert.equal((await scenario.ask('get?path=once')).body, 200);
        assert.equal((await scenario.ask('get?path=fails')).status, 500);
        const title = name(host);
        assert.deepEqual(await scenario.samples('o11y_retry_attempts_total', 'name', 'result'), [
          `${title} exhausted: 1`,
          `${title} failure: 3`,
          ...(successes ? [`${title} success: 2`] : []),
        ]);
        const [span] = await viewer.waitForSpans({
          service: `${packages[0]}-${kind}`,
          kind: 'server',
          attributes: { 'url.query': 'path=fails' },
        });
        const results = span.events.filter((event) => event.name === 'retry').map((event) => event.attributes['retry.result']);
        assert.deepEqual(results, ['failure', 'failure', 'exhausted']);
      });
    }
  }
});
