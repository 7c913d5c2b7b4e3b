import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { type IPodMonitor, PodMonitor, PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { ConfigMap, type IContainer } from 'kubernetes-models/v1';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { spawnApp } from '../support/app.ts';
import { needs } from '../support/needs.ts';
import { startPrometheus } from '../support/servers/prometheus.ts';
import { until } from '../support/until.ts';
import { run } from './cli.ts';

const root = join(import.meta.dirname, '../..');
const KINDS: Record<string, new (data: any) => { validate(): void }> = { PodMonitor, PrometheusRule, Deployment, ConfigMap };

const SERVER = `const server = require('node:http').createServer((_, res) => res.end());
server.listen(0, '127.0.0.1', () => console.log('LISTEN ' + server.address().port));`;

const temporary = () => join(mkdtempSync(join(tmpdir(), 'export-')), 'out');
const sources = (folder: string) => readdirSync(join(root, folder)).filter((name) => /\.(ya?ml|json)$/.test(name));

/** A number as an expression is a text in Kubernetes. */
function withTexts({ groups }: { groups: { rules: { expr: unknown }[] }[] }) {
  return {
    groups: groups.map((group) => ({ ...group, rules: group.rules.map((rule) => ({ ...rule, expr: String(rule.expr) })) })),
  };
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The variables as Kubernetes would set them in a pod with these labels. */
function asKubernetes(env: any[], labels: Record<string, string>): Record<string, string> {
  const fields: Record<string, string> = {
    'metadata.namespace': 'shop',
    'metadata.name': 'my-service-1',
    'spec.nodeName': 'node-1',
  };
  const set: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    const path = valueFrom?.fieldRef.fieldPath;
    const label = /^metadata\.labels\['(.+)'\]$/.exec(path ?? '')?.[1];
    if (value === undefined) set[name] = label === undefined ? fields[path] : labels[label];
    // The preload is given by the test, the address of the collector too.
    else if (name.startsWith('OTEL_RESOURCE'))
      set[name] = value.replace(/\$\((\w+)\)/g, (_: string, other: string) => set[other]);
  }
  return set;
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

  it('the monitor and the example say what they are meant to, in the fields that their types have', async () => {
    const { objects } = await exported();
    // The types catch a misspelt field, which the schemas let pass.
    const monitor = {
      selector: { matchLabels: { 'o11y-kit': 'enabled' } },
      namespaceSelector: { any: true },
      sampleLimit: 50_000,
      podMetricsEndpoints: [
        {
          port: 'metrics',
          path: '/metrics',
          interval: '15s',
          scrapeTimeout: '10s',
          relabelings: [
            {
              action: 'replace',
              sourceLabels: ['__meta_kubernetes_namespace', '__meta_kubernetes_pod_label_app_kubernetes_io_name'],
              separator: '/',
              regex: '(.+/.+)',
              targetLabel: 'job',
              replacement: '$1',
            },
          ],
        },
      ],
    } satisfies IPodMonitor['spec'];
    assert.deepEqual(objects.get('podmonitor.yaml').spec, monitor);

    const { spec } = objects.get('deployment.example.yaml');
    const [container] = spec.template.spec.containers;
    const { env, image: _image, name: _name, ...rest } = container;
    const get = (path: string) => ({ httpGet: { path, port: 'metrics' } });
    const expected = {
      ports: [
        { name: 'http', containerPort: 3000 },
        { name: 'metrics', containerPort: 9464 },
      ],
      startupProbe: { ...get('/health/live'), periodSeconds: 2, failureThreshold: 30 },
      livenessProbe: { ...get('/health/live'), periodSeconds: 10, timeoutSeconds: 2, failureThreshold: 3 },
      readinessProbe: { ...get('/health/ready'), periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 2 },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
    } satisfies Omit<IContainer, 'name'>;
    assert.deepEqual(rest, expected);
    assert.ok(spec.template.spec.terminationGracePeriodSeconds > expected.lifecycle.preStop.sleep.seconds + 5);
    const { labels } = spec.template.metadata;
    for (const [key, value] of Object.entries(monitor.selector.matchLabels)) assert.equal(labels[key], value);
    // Kubernetes puts in only variables that stand above.
    const names = env.map((one: any) => one.name);
    const attributes = env.find((one: any) => one.name === 'OTEL_RESOURCE_ATTRIBUTES');
    for (const [, name] of attributes.value.matchAll(/\$\((\w+)\)/g))
      assert.ok(names.indexOf(name) !== -1 && names.indexOf(name) < names.indexOf(attributes.name), name);
  });

  it('Prometheus and the app itself give the pod of the example the same job', { skip: needs('prometheus') }, async () => {
    const { objects } = await exported();
    const { metadata, spec } = objects.get('deployment.example.yaml').spec.template;
    const targets = mkdtempSync(join(tmpdir(), 'export-targets-'));
    const env = { ...asKubernetes(spec.containers[0].env, metadata.labels), O11Y_TARGETS_DIR: targets };
    const app = await spawnApp({ args: ['-e', SERVER], env });
    const [own] = await until('the address of the app', () => {
      const [file] = readdirSync(targets).filter((name) => name.endsWith('.json'));
      return file && JSON.parse(readFileSync(join(targets, file), 'utf8'));
    });
    const [relabel] = objects.get('podmonitor.yaml').spec.podMetricsEndpoints[0].relabelings;
    const prometheus = await startPrometheus({
      config: stringify({
        scrape_configs: [
          {
            job_name: 'podMonitor/monitoring/o11y-kit/0',
            scrape_interval: '1s',
            relabel_configs: [Object.fromEntries(Object.entries(relabel).map(([key, value]) => [snakeCase(key), value]))],
            static_configs: [
              {
                targets: own.targets,
                labels: {
                  __meta_kubernetes_namespace: 'shop',
                  __meta_kubernetes_pod_label_app_kubernetes_io_name: metadata.labels['app.kubernetes.io/name'],
                },
              },
            ],
          },
        ],
      }),
    });
    try {
      const [series] = await until('the first scrape', async () => {
        const found = await prometheus.query('target_info');
        return found.length > 0 && found;
      });
      assert.equal(series.metric.job, 'shop/my-service');
      assert.equal(series.metric.service_name, 'my-service');
      assert.equal(series.metric.service_namespace, 'shop');
      assert.equal(series.metric.service_version, '1.0.0');
      assert.equal(own.labels.job, series.metric.job, 'as the app announces itself');
    } finally {
      await prometheus.stop();
      await app.kill('SIGKILL');
    }
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
