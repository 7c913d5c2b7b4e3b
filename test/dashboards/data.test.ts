import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { DASHBOARDS } from '../../dashboards/index.ts';
import { METRICS } from '../../instrumentation/names.ts';
import { needsKafka } from '../support/servers/kafka.ts';
import { needsPrometheus } from '../support/servers/prometheus.ts';
import { CHANGES } from './changes.ts';
import { ask, everything, numbers, type PanelQuery, panelQueries } from './queries.ts';
import { type Phase, playScene, type Scene } from './scene.ts';
import { needsWorkshop } from './workshop.ts';

/** Made by Tempo out of traces: test/dashboards/backends.test.ts asks a real one. */
const OF_TEMPO = /^o11y-map /;

const queries = panelQueries().filter(({ name }) => !OF_TEMPO.test(name));
const needs = ({ expr }: PanelQuery) => expr.includes(METRICS.kafkaLag.name) && needsKafka;

suite('dashboards of a Prometheus that scraped real services', { skip: needsPrometheus || needsWorkshop, concurrency: 4 }, () => {
  let scene: Scene;
  before(async () => {
    scene = await playScene();
  });
  after(() => scene?.[Symbol.asyncDispose]());

  const whole = (): Phase => ({ start: scene.healthy.start, end: scene.faulty.end });

  for (const query of queries) {
    test(`${query.name} has data`, { skip: needs(query) }, async () => {
      const found = await ask(scene.prometheus, query, everything(scene), whole());
      assert.ok(numbers(found).length > 0, `nothing comes of ${query.expr}`);
    });
  }

  /** All values of a query in a phase, those of tables too, which show but its end. */
  async function over(query: PanelQuery, job: string, phase: Phase): Promise<number[]> {
    return numbers(await ask(scene.prometheus, { ...query, instant: false }, { ...everything(scene), job }, phase));
  }

  for (const { query: name, factor = 1.5, least = 0, fallsTo, job = '.+' } of CHANGES) {
    const query = queries.find((each) => each.name === name);
    test(`${name} shows the fault`, { skip: query && needs(query) }, async () => {
      assert.ok(query, 'there is such a query');
      const [before, during] = await Promise.all([over(query, job, scene.healthy), over(query, job, scene.faulty)]);
      if (fallsTo !== undefined) {
        const [low, fallen] = [Math.min(...before), Math.min(...during)];
        assert.ok(fallen < low && fallen <= fallsTo, `${low} before, ${fallen} during the fault`);
      } else {
        const [high, risen] = [Math.max(0, ...before), Math.max(0, ...during)];
        assert.ok(risen > high * factor && risen >= least, `${high} before, ${risen} during the fault`);
      }
    });
  }

  test('every metric and label that a query names was scraped, or is one of the kit’s', async () => {
    const known = new Set<string>(await scene.prometheus.ask('/label/__name__/values'));
    const labels = new Set<string>(await scene.prometheus.ask('/labels'));
    for (const { name, expr } of queries.filter((query) => !needs(query))) {
      for (const [, metric] of expr.matchAll(/([a-z_][\w:]*)\{/gi)) assert.ok(known.has(metric), `${metric} in ${name}`);
      // Made by label_replace in the query itself.
      const made = [...expr.matchAll(/label_replace\(.*?, "(\w+)"/g)].map(([, label]) => label);
      for (const label of labelsIn(expr)) assert.ok(labels.has(label) || made.includes(label), `${label} in ${name}`);
    }
  });

  test('every choice at the top of a dashboard offers something', async () => {
    for (const dashboard of DASHBOARDS.filter(({ uid }) => !OF_TEMPO.test(`${uid} `))) {
      for (const { name, type, definition = '', datasource } of dashboard.templating.list ?? []) {
        if (type !== 'query' || datasource?.type !== 'prometheus') continue;
        const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(definition) ?? [];
        const match = selector.replaceAll('$job', '.+');
        const values = await scene.prometheus.ask(`/label/${label}/values`, { 'match[]': match });
        assert.ok(values.length > 0, `${dashboard.uid}: ${name} by ${definition}`);
      }
    }
  });

  test('durations have exemplars, which are the dots that lead to traces', async () => {
    const query = `${METRICS.httpServerDuration.name}_bucket{job=~".+"}`;
    const found = await scene.prometheus.ask('/query_exemplars', {
      query,
      start: String(scene.healthy.start),
      end: String(scene.faulty.end),
    });
    assert.ok(found.some(({ exemplars }: any) => exemplars.some(({ labels }: any) => /^[0-9a-f]{32}$/.test(labels.trace_id))));
  });
});

function labelsIn(expr: string): string[] {
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, body]) => [...body.matchAll(/(\w+)\s*(?:=|!)/g)]);
  const grouped = [...expr.matchAll(/(?:by|on|without|group_left) \(([^)]*)\)/g)].flatMap(([, list]) => [
    ...list.matchAll(/(\w+)/g),
  ]);
  return [...matched, ...grouped].map(([, label]) => label);
}
