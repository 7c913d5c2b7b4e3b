import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { COMPOSE, ROOT, readCompose, readYaml } from '../support/compose.ts';

const { datasources } = readYaml(join(COMPOSE, 'grafana/provisioning/datasources/datasources.yaml'));
const byUid = new Map<string, any>(datasources.map((each: { uid: string }) => [each.uid, each]));
const services = readCompose().services;

suite("Grafana's data sources", () => {
  test('have stable uids, by which dashboards and links know them', () => {
    assert.deepEqual([...byUid.keys()], ['prometheus', 'loki', 'tempo', 'alertmanager']);
  });

  test('are at the services of the stack', () => {
    for (const [uid, { url }] of byUid) {
      const { hostname, port } = new URL(url);
      assert.equal(hostname, uid);
      const published = services[uid].ports?.[0].split(':').pop();
      assert.equal(port, published, uid);
    }
  });

  test('link only to one another', () => {
    const linked = [...JSON.stringify(datasources).matchAll(/"datasourceUid":"([^"]+)"/g)].map(([, uid]) => uid);
    assert.ok(linked.length >= 7);
    for (const uid of linked) assert.ok(byUid.has(uid), uid);
  });

  test('exemplar to trace, in each spelling that a component has', () => {
    const destinations = byUid.get('prometheus').jsonData.exemplarTraceIdDestinations;
    assert.deepEqual(
      destinations.map(({ name, datasourceUid }: any) => [name, datasourceUid]),
      [
        ['trace_id', 'tempo'],
        ['traceID', 'tempo'],
        ['traceId', 'tempo'],
      ],
    );
  });

  test('log line to trace: structured metadata, and each spelling in a JSON or logfmt line', () => {
    const [metadata, inLine] = byUid.get('loki').jsonData.derivedFields;
    assert.deepEqual([metadata.matcherType, metadata.matcherRegex, metadata.datasourceUid], ['label', 'trace_id', 'tempo']);
    const id = '0af7651916cd43dd8448eb211c80319c';
    const regex = new RegExp(inLine.matcherRegex);
    for (const line of [`{"trace_id":"${id}"}`, `{"traceId": "${id}"}`, `level=info traceID=${id} x=1`, `trace_id: ${id}`])
      assert.equal(regex.exec(line)?.[1], id, line);
    assert.equal(regex.exec(`{"span_trace":"${id}"}`), null);
  });

  test('trace to logs, trace to metrics, service graph', () => {
    const { tracesToLogsV2, tracesToMetrics, serviceMap, nodeGraph } = byUid.get('tempo').jsonData;
    assert.equal(tracesToLogsV2.datasourceUid, 'loki');
    // `$$` is how provisioning writes a `$`.
    assert.equal(tracesToLogsV2.query, '{$$' + '{__tags}} | trace_id = "$$' + '{__trace.traceId}"');
    assert.equal(tracesToMetrics.datasourceUid, 'prometheus');
    assert.ok(tracesToMetrics.queries.every(({ query }: { query: string }) => query.includes('{$$__tags}')));
    assert.equal(serviceMap.datasourceUid, 'prometheus');
    assert.equal(nodeGraph.enabled, true);
  });

  test('a dollar that provisioning would take for a variable is doubled', () => {
    const text = readFileSync(join(COMPOSE, 'grafana/provisioning/datasources/datasources.yaml'), 'utf8');
    const data = text.replace(/^\s*#.*$/gm, '');
    assert.equal(data.replaceAll('$$', '').includes('$'), false);
  });
});

suite("Grafana's dashboards", () => {
  const [provider] = readYaml(join(COMPOSE, 'grafana/provisioning/dashboards/dashboards.yaml')).providers;

  test('are provisioned from the folder that is mounted', () => {
    const mounts = (services.grafana.volumes ?? []).map((each) => each.split(':'));
    const mount = mounts.find(([, target]) => target === provider.options.path);
    assert.equal(mount?.[0], '../dashboards/json');
    assert.ok(globSync('dashboards/json/*.json', { cwd: ROOT }).length > 0);
  });

  test('ask for data sources that are provisioned', () => {
    for (const file of globSync('dashboards/json/*.json', { cwd: ROOT })) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const dashboard = JSON.parse(text);
      const variables = new Set((dashboard.templating?.list ?? []).map(({ name }: { name: string }) => `$\{${name}}`));
      for (const [, uid] of text.matchAll(/"datasource":\s*\{[^{}]*"uid":\s*"([^"]+)"/g))
        assert.ok(byUid.has(uid) || variables.has(uid) || uid === '-- Grafana --' || uid === '-- Mixed --', `${file}: ${uid}`);
    }
  });
});

suite('Grafana itself', () => {
  const ini = readFileSync(join(COMPOSE, 'grafana/grafana.ini'), 'utf8');
  const settings = parseIni(ini);

  test('downloads nothing, reports nothing', () => {
    assert.equal(settings.plugins.preinstall_disabled, 'true');
    assert.equal(settings.plugins.preinstall_auto_update, 'false');
    assert.deepEqual(
      ['reporting_enabled', 'check_for_updates', 'check_for_plugin_updates'].map((key) => settings.analytics[key]),
      ['false', 'false', 'false'],
    );
    assert.equal(settings.news.news_feed_enabled, 'false');
    assert.equal(settings.security.disable_gravatar, 'true');
  });

  test('lets anybody read and nobody write without the password, which no file holds', () => {
    assert.deepEqual([settings['auth.anonymous'].enabled, settings['auth.anonymous'].org_role], ['true', 'Viewer']);
    assert.equal(settings.users.allow_sign_up, 'false');
    assert.equal(/admin_password/.test(ini), false);
    assert.equal(/PASSWORD/.test(JSON.stringify(services.grafana.environment)), false);
  });
});

function parseIni(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let section: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const name = /^\[(.+)\]$/.exec(line)?.[1];
    if (name) sections[name] = section = {};
    const [, key, value] = /^(\w+) = (.*)$/.exec(line) ?? [];
    if (key) section[key] = value;
  }
  return sections;
}
