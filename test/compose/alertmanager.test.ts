import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { COMPOSE, withReplacements } from '../support/compose.ts';
import { type AlertmanagerServer, needsAlertmanager, startAlertmanager } from '../support/servers/alertmanager.ts';
import { until } from '../support/until.ts';

interface Message {
  readonly status: string;
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

suite("Alertmanager with the stack's configuration and the webhook receiver", { skip: needsAlertmanager }, () => {
  const messages: Message[] = [];
  const webhook = createServer(async (request, response) => {
    messages.push(JSON.parse((await request.toArray()).join('')));
    response.end();
  });
  let alertmanager: AlertmanagerServer;

  before(async () => {
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/`;
    const config = withReplacements(join(COMPOSE, 'alertmanager/receivers/webhook.yml'), {
      // Older versions take the address itself only.
      'url_file: /run/secrets/webhook_url': `url: ${url}`,
      'group_wait: 30s': 'group_wait: 1s',
      'group_wait: 10s': 'group_wait: 1s',
      'group_interval: 5m': 'group_interval: 1s',
    });
    alertmanager = await startAlertmanager({ config });
    await alertmanager.post(
      // Two processes of one service with one problem.
      ...['10.0.0.1:9464', '10.0.0.2:9464'].map((instance) => ({
        labels: { alertname: 'EventLoopBlocked', severity: 'warning', job: 'shop', instance },
      })),
      // A critical alert, and the milder one of the same name.
      { labels: { alertname: 'HighErrorRate', severity: 'critical', job: 'shop' } },
      { labels: { alertname: 'HighErrorRate', severity: 'warning', job: 'shop' } },
      // The same of another service, which nothing hides.
      { labels: { alertname: 'HighErrorRate', severity: 'warning', job: 'mail' } },
      // One that cannot be scraped, and what would be said of it.
      { labels: { alertname: 'TargetDown', severity: 'warning', job: 'mail', instance: '10.0.0.3:9464' } },
      { labels: { alertname: 'HeapNearLimit', severity: 'warning', job: 'mail', instance: '10.0.0.3:9464' } },
      { labels: { alertname: 'NewDeployment', severity: 'info', job: 'shop' } },
      { labels: { alertname: 'Watchdog', severity: 'none' } },
    );
  });

  after(async () => {
    await alertmanager?.stop();
    webhook.close();
  });

  const sent = (alertname: string) => messages.filter(({ groupLabels }) => groupLabels.alertname === alertname);

  test('one message for one problem of one service', async () => {
    const [message] = await until('the message', () => sent('EventLoopBlocked').length > 0 && sent('EventLoopBlocked'));
    assert.deepEqual(message.groupLabels, { alertname: 'EventLoopBlocked', job: 'shop' });
    assert.deepEqual(message.alerts.map(({ labels }) => labels.instance).sort(), ['10.0.0.1:9464', '10.0.0.2:9464']);
  });

  test('the worse alert hides the milder one of the same service, and of no other', async () => {
    await until('both messages', () => new Set(sent('HighErrorRate').map(({ groupLabels }) => groupLabels.job)).size === 2);
    const alerts = sent('HighErrorRate').flatMap((message) => message.alerts);
    const told = new Set(alerts.map(({ labels }) => `${labels.job} ${labels.severity}`));
    assert.deepEqual([...told].sort(), ['mail warning', 'shop critical']);
  });

  test('of what cannot be scraped nothing else is said', async () => {
    await until('the message', () => sent('TargetDown').length > 0);
    const heap = (await alertmanager.alerts()).find(({ labels }) => labels.alertname === 'HeapNearLimit');
    assert.equal(heap?.status.state, 'suppressed');
    assert.equal(heap?.status.inhibitedBy.length, 1);
    assert.deepEqual(sent('HeapNearLimit'), []);
  });

  test('nobody is told of what is for reading, nor of the Watchdog', async () => {
    const listed = await alertmanager.alerts();
    for (const name of ['NewDeployment', 'Watchdog']) {
      const alert = listed.find(({ labels }) => labels.alertname === name);
      assert.deepEqual(
        alert?.receivers.map((receiver) => receiver.name),
        ['nobody'],
        name,
      );
      assert.deepEqual(sent(name), []);
    }
  });
});
