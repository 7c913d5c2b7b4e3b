/**
 * A rule that reads a metric or a label which nobody writes never fires, and its promtool case, which writes it itself, passes. So every
 * name in the rules and in the inputs of their cases must have been seen on the pages of services that run.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { RULES } from '../../alerts/index.ts';
import { METRICS } from '../../instrumentation/names.ts';
import { playScene, type Scene } from '../dashboards/scene.ts';
import { needsWorkshop } from '../dashboards/workshop.ts';
import { ROOT } from '../support/compose.ts';
import { needsAlertmanager, startAlertmanager } from '../support/servers/alertmanager.ts';
import { needsKafka } from '../support/servers/kafka.ts';
import { needsPrometheus } from '../support/servers/prometheus.ts';
import { groupingsOf, selectorsOf, seriesOf } from './promql.ts';
import { STACK_SERIES } from './stack-series.ts';

/** Set by the Prometheus of a cluster, where there is one. */
const OF_CLUSTERS = ['cluster', 'namespace'];
/** Set by Prometheus for each target. */
const OF_TARGETS = ['job', 'instance'];

const rules = Object.values(RULES).flatMap((file) => file.groups.flatMap((group) => group.rules));
const recorded = new Set(rules.flatMap((rule) => ('record' in rule ? [rule.record] : [])));

suite('names in the rules are those of running services', {
  skip: needsPrometheus || needsAlertmanager || needsWorkshop,
}, () => {
  /** Metric to the labels that its series had. */
  const seen = new Map<string, Set<string>>();
  let scene: Scene;

  function note(metric: string, labels: readonly string[]): void {
    const known = seen.get(metric) ?? new Set(OF_TARGETS);
    for (const label of labels) known.add(label);
    seen.set(metric, known);
  }

  function notePage(page: string): void {
    for (const [, metric, labels = ''] of page.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /gm)) {
      note(
        metric,
        [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label),
      );
    }
  }

  before(async () => {
    scene = await playScene({ seconds: 6 });
    const series: Record<string, string>[] = await scene.prometheus.ask('/series', { 'match[]': '{job!=""}' });
    for (const { __name__, ...labels } of series) note(__name__, Object.keys(labels));
    await using alertmanager = await startAlertmanager({
      config: 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n',
    });
    for (const url of [scene.prometheus.url, alertmanager.url]) notePage(await (await fetch(`${url}/metrics`)).text());
    for (const [metric, labels] of Object.entries(STACK_SERIES)) note(metric, labels);
    // Where there is no Kafka nobody has written it.
    if (needsKafka) note(METRICS.kafkaLag.name, METRICS.kafkaLag.labels);
  });

  after(() => scene[Symbol.asyncDispose]());

  test('in expressions', () => {
    const unknown: string[] = [];
    for (const rule of rules) {
      const name = 'alert' in rule ? rule.alert : rule.record;
      for (const { metric, labels } of selectorsOf(rule.expr)) {
        if (recorded.has(metric) || /^o11y:threshold:/.test(metric)) continue;
        // One of two spellings, of which a version has the other.
        if (/^otelcol_\w+\(_total\)\?$/.test(metric)) {
          if (!seen.has(metric.replace('(_total)?', ''))) unknown.push(`${name}: ${metric}`);
          continue;
        }
        const known = seen.get(metric);
        if (known === undefined) unknown.push(`${name}: ${metric}`);
        for (const label of labels) if (known && !known.has(label)) unknown.push(`${name}: ${metric}{${label}}`);
      }
    }
    assert.deepEqual(unknown, []);
  });

  test('in groupings', () => {
    const all = new Set([...seen.values()].flatMap((labels) => [...labels]).concat(OF_CLUSTERS));
    const unknown = rules.flatMap(({ expr }) => groupingsOf(expr).filter((label) => !all.has(label) && label !== '__name__'));
    assert.deepEqual([...new Set(unknown)], []);
  });

  test('in the inputs of cases', () => {
    const unknown: string[] = [];
    for (const file of globSync('alerts/tests/*.test.yml', { cwd: ROOT })) {
      for (const { input_series } of parse(readFileSync(join(ROOT, file), 'utf8')).tests) {
        for (const { series } of input_series) {
          const { metric, labels } = seriesOf(series);
          if (/^o11y:threshold:/.test(metric)) continue;
          const known = seen.get(metric);
          if (known === undefined) unknown.push(`${file}: ${metric}`);
          for (const label of labels) if (known && !known.has(label)) unknown.push(`${file}: ${metric}{${label}}`);
        }
      }
    }
    assert.deepEqual([...new Set(unknown)], []);
  });
});
