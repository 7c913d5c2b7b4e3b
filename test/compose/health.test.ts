import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { COMPOSE, readCompose, withReplacements } from '../support/compose.ts';
import { findProgram, needs } from '../support/needs.ts';
import { needsAlertmanager, startAlertmanager } from '../support/servers/alertmanager.ts';
import { needsLoki, startLoki } from '../support/servers/loki.ts';
import type { Server } from '../support/servers/program.ts';
import { needsStackPrometheus, startStackPrometheus } from '../support/servers/stack-prometheus.ts';
import { needsTempo, startTempo } from '../support/servers/tempo.ts';

const { services } = readCompose();

/**
 * Exit code of a health check as the Compose file has it, its address replaced by `url`. The two whose address is built in
 * are told it by the flag that there is for it.
 */
function check(service: string, url: string): number | null {
  const [kind, program, ...args] = services[service].healthcheck?.test ?? [];
  assert.equal(kind, 'CMD');
  const elsewhere = args.map((each) => each.replace(/http:\/\/[\w.-]+:\d+/, url));
  if (args.includes('-health')) elsewhere.push(`-health.url=${url}/ready`);
  const command = findProgram(program.split('/').pop() ?? '');
  assert.ok(command, `${program} is not here`);
  return spawnSync(command, elsewhere, { timeout: 30_000, stdio: 'ignore' }).status;
}

async function goodThenDead(service: string, server: Server & { url: string }): Promise<void> {
  await using own = server;
  assert.equal(check(service, server.url), 0, 'well');
  await own.kill();
  assert.notEqual(check(service, server.url), 0, 'dead');
}

const nowhere = 'http://127.0.0.1:9';

suite('a health check of the stack says whether its program is well', () => {
  test('Alertmanager', { skip: needsAlertmanager }, async () => {
    const config = withReplacements(join(COMPOSE, 'alertmanager/alertmanager.yml'), {});
    await goodThenDead('alertmanager', await startAlertmanager({ config }));
  });

  test('Prometheus', { skip: needsStackPrometheus || needs('wget') }, async () => {
    await goodThenDead('prometheus', await startStackPrometheus({ config: 'global: {}\n' }));
  });

  test('Loki', { skip: needsLoki }, async () => {
    await goodThenDead('loki', await startLoki({ rules: join(COMPOSE, 'targets'), alertmanager: nowhere }));
  });

  test('Tempo', { skip: needsTempo }, async () => {
    await goodThenDead('tempo', await startTempo({ remoteWrite: nowhere }));
  });

  for (const name of ['grafana', 'collector-health', 'demo-gateway', 'demo-orders', 'demo-payments']) {
    test(`${name}: an answer of 200 is well; 503, or none, is not`, { skip: needs('wget') }, async () => {
      const url = (services[name].healthcheck?.test ?? []).at(-1) ?? '';
      const path = new URL(url).pathname;
      let status = 200;
      const answer: RequestListener = (request, response) => response.writeHead(request.url === path ? status : 404).end();
      const server = createServer(answer);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const [, program, ...args] = services[name].healthcheck?.test ?? [];
      const ask = async () => {
        // In the background: this process is who answers.
        const there = args.map((each) => each.replace(/http:\/\/[\w.-]+:\d+/, address));
        const [code] = await once(spawn(program, ['--tries=1', ...there], { stdio: 'ignore' }), 'exit');
        return code;
      };
      assert.equal(await ask(), 0);
      status = 503;
      assert.notEqual(await ask(), 0);
      server.close().closeAllConnections();
      assert.notEqual(await ask(), 0);
    });
  }
});
