import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { PodMonitor, PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { ConfigMap } from 'kubernetes-models/v1';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { needs } from '../support/needs.ts';
import { run } from './cli.ts';

const root = join(import.meta.dirname, '../..');
const KINDS: Record<string, new (data: any) => { validate(): void }> = { PodMonitor, PrometheusRule, Deployment, ConfigMap };

const temporary = () => join(mkdtempSync(join(tmpdir(), 'export-')), 'out');
const sources = (folder: string) => readdirSync(join(root, folder)).filter((name) => /\.(ya?ml|json)$/.test(name));

/** A number as an expression is a text in Kubernetes. */
function withTexts({ groups }: { groups: { rules: { expr: unknown }[] }[] }) {
  return {
    groups: groups.map((group) => ({ ...group, rules: group.rules.map((rule) => ({ ...rule, expr: String(rule.expr) })) })),
  };
}

async function exported(...args: string[]) {
  const folder = temporary();
  const result = await run(['export', '--kubernetes', '--out', folder, ...args]);
  assert.equal(result.code, 0, result.err);
  const names = readdirSync(folder);
  const texts = new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const objects = new Map([...texts].map(([name, text]) => [name, parse(text)]));
  return { ...result, folder, names, texts, objects };
}

describe('o11y-kit export --kubernetes', () => {
  it('writes a manifest for every rule file and dashboard, each valid by the schema of its kind', async () => {
    const { objects, names } = await exported('--namespace', 'observability', '--label', 'release=prometheus');
    for (const name of sources('alerts/rules')) assert.ok(names.includes(`rules-${name.replace(/\.yml$/, '.yaml')}`), name);
    for (const name of sources('dashboards/json')) assert.ok(names.includes(`dashboard-${basename(name, '.json')}.yaml`), name);
    const seen = new Set<string>();
    for (const [name, object] of objects) {
      if (name === 'kustomization.yaml') continue;
      assert.ok(object.kind in KINDS, `${name}: ${object.kind}`);
      // Throws what is not as the schema wants it.
      new KINDS[object.kind](object).validate();
      if (name.endsWith('.example.yaml')) continue;
      assert.match(object.metadata.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      assert.equal(object.metadata.namespace, 'observability');
      assert.equal(object.metadata.labels.release, 'prometheus');
      const key = `${object.kind}/${object.metadata.name}`;
      assert.ok(!seen.has(key), `${key} twice`);
      seen.add(key);
    }
    const { resources } = objects.get('kustomization.yaml');
    assert.deepEqual([...resources].sort(), names.filter((name) => !/example|kustomization/.test(name)).sort());
  });

  it('the schemas refuse what is wrong', () => {
    const object = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'x' },
      spec: { groups: [{ name: 'a', rules: [{ alert: 'B' }] }] },
    };
    assert.throws(() => new PrometheusRule(object as any).validate(), /expr/);
  });

  it('the rules are the same, and promtool reads them', { skip: needs('promtool') }, async () => {
    const { objects } = await exported();
    const folder = mkdtempSync(join(tmpdir(), 'export-rules-'));
    const files = sources('alerts/rules').map((name) => {
      const { spec } = objects.get(`rules-${name.replace(/\.yml$/, '.yaml')}`);
      assert.deepEqual(spec, withTexts(parse(readFileSync(join(root, 'alerts/rules', name), 'utf8'))), name);
      const file = join(folder, name);
      writeFileSync(file, stringify(spec));
      return file;
    });
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', ...files], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });

  it('the dashboards are the same, labelled for the side-car of Grafana, and small enough', async () => {
    const { objects, texts } = await exported();
    for (const name of sources('dashboards/json')) {
      const file = `dashboard-${basename(name, '.json')}.yaml`;
      const { data, metadata } = objects.get(file);
      assert.equal(metadata.labels.grafana_dashboard, '1');
      assert.deepEqual(JSON.parse(data[name]), JSON.parse(readFileSync(join(root, 'dashboards/json', name), 'utf8')));
      // What `kubectl apply` keeps a copy of in an annotation.
      assert.ok(texts.get(file)!.length < 255 * 1024, `${file}: ${texts.get(file)!.length}`);
    }
  });

  it('the monitor finds the pods of the example, and names the job as the example names its service', async () => {
    const { objects } = await exported();
    const { spec } = objects.get('podmonitor.yaml');
    const { spec: deployment } = objects.get('deployment.example.yaml');
    const { labels } = deployment.template.metadata;
    for (const [key, value] of Object.entries(spec.selector.matchLabels)) assert.equal(labels[key], value);
    const [container] = deployment.template.spec.containers;
    const [endpoint] = spec.podMetricsEndpoints;
    const port = container.ports.find((one: any) => one.name === endpoint.port);
    assert.equal(port.containerPort, 9464);
    const env = Object.fromEntries(container.env.map((one: any) => [one.name, one]));
    assert.equal(env.OTEL_SERVICE_NAME.valueFrom.fieldRef.fieldPath, "metadata.labels['app.kubernetes.io/name']");
    const [relabel] = endpoint.relabelings;
    assert.deepEqual(relabel.sourceLabels, ['__meta_kubernetes_namespace', '__meta_kubernetes_pod_label_app_kubernetes_io_name']);
    assert.match(env.OTEL_RESOURCE_ATTRIBUTES.value, /^service\.namespace=\$\(POD_NAMESPACE\)/);
    // Kubernetes puts in only variables that stand above.
    const names = container.env.map((one: any) => one.name);
    for (const [, name] of env.OTEL_RESOURCE_ATTRIBUTES.value.matchAll(/\$\((\w+)\)/g))
      assert.ok(names.indexOf(name) !== -1 && names.indexOf(name) < names.indexOf('OTEL_RESOURCE_ATTRIBUTES'), name);
    for (const [probe, path] of [
      ['startupProbe', '/health/live'],
      ['livenessProbe', '/health/live'],
      ['readinessProbe', '/health/ready'],
    ])
      assert.deepEqual(container[probe].httpGet, { path, port: 'metrics' });
    assert.ok(deployment.template.spec.terminationGracePeriodSeconds > container.lifecycle.preStop.sleep.seconds + 5);
  });

  it('prints what kubectl takes, without the example', async () => {
    const { code, out } = await run(['export', '--kubernetes', '--out', '-']);
    assert.equal(code, 0);
    const objects = parseAllDocuments(out).map((document) => {
      assert.deepEqual(document.errors, []);
      return document.toJS();
    });
    assert.equal(objects.length, sources('alerts/rules').length + sources('dashboards/json').length + 1);
    assert.ok(objects.every(({ kind }) => ['PrometheusRule', 'ConfigMap', 'PodMonitor'].includes(kind)));
  });

  it('leads from notifications to the Grafana that is named', async () => {
    const { texts, out } = await exported('--grafana', 'https://grafana.example.com/');
    const thresholds = texts.get('rules-thresholds.yaml')!;
    assert.match(thresholds, /grafana: https:\/\/grafana\.example\.com$/m);
    assert.doesNotMatch(thresholds, /localhost/);
    assert.doesNotMatch(out, /Links:/);
    assert.match((await exported()).out, /Links: .*localhost:3000; --grafana URL changes that/);
  });

  it('takes the copy that init has made, and writes over nothing but its own files', async () => {
    const copy = temporary();
    await run(['init', copy, '--only', 'alerts', '--only', 'dashboards']);
    writeFileSync(
      join(copy, 'alerts/rules/mine.yml'),
      'groups:\n  - name: mine\n    rules:\n      - {record: "a:b", expr: "1"}\n',
    );
    const { folder, objects } = await exported('--from', copy);
    assert.equal(objects.get('rules-mine.yaml').spec.groups[0].name, 'mine');
    assert.equal((await run(['export', '--kubernetes', '--out', folder])).code, 0, 'again');
    writeFileSync(join(folder, 'podmonitor.yaml'), 'kind: PodMonitor\n');
    const { code, err } = await run(['export', '--kubernetes', '--out', folder]);
    assert.equal(code, 1);
    assert.match(err, /podmonitor\.yaml was not written by this command: nothing is overwritten/);
    assert.equal(readFileSync(join(folder, 'podmonitor.yaml'), 'utf8'), 'kind: PodMonitor\n');
  });

  const wrong: [string[], RegExp, number][] = [
    [[], /--kubernetes is wanted/, 2],
    [['--kubernetes', '--namespace', 'My_Space'], /--namespace My_Space: lower-case/, 2],
    [['--kubernetes', '--label', 'release'], /--label release: KEY=VALUE is wanted/, 2],
    [['--kubernetes', '--grafana', 'grafana.example.com'], /--grafana grafana\.example\.com: an address such as/, 2],
    [['--kubernetes', '--from', '/nowhere'], /nothing to export in \/nowhere\/alerts\/rules/, 1],
    [['--kubernetes', '--out', join(root, 'package.json')], /package\.json cannot be written/, 1],
  ];
  for (const [args, message, expected] of wrong) {
    it(`answers "${args.join(' ')}" with what is wanted`, async () => {
      const { code, err } = await run(['export', ...args]);
      assert.equal(code, expected, err);
      assert.match(err, message);
    });
  }
});
