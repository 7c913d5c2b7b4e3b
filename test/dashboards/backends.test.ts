import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { DASHBOARDS } from '../../dashboards/index.ts';
import { panelsOf } from '../../dashboards/parts/describe.ts';
import { type Backends, needsBackends, startBackends } from '../compose/backends.ts';
import { until } from '../support/until.ts';
import { fill, type Values } from './fill.ts';
import { ask, everything, numbers, panelQueries } from './queries.ts';
import { playScene, type Scene } from './scene.ts';
import { needsWorkshop } from './workshop.ts';

const SERVICES = ['gateway', 'orders', 'payments', 'shop', 'workshop'];
/** What was sent a moment ago is on its way through the collector and through Tempo's generator. */
const patience = { timeoutMs: 60_000, everyMs: 1000 };

interface Target {
  readonly expr?: string;
  readonly query?: string;
  readonly queryType?: string;
  readonly datasource: { readonly type: string };
}

const targets = DASHBOARDS.flatMap((dashboard) =>
  panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
    (targets as unknown as Target[]).map((target) => ({ name: `${dashboard.uid} / ${title}`, ...target })),
  ),
);

/** The dashboards' LogQL, TraceQL and service graph, asked of the stack's own Loki, Tempo and Prometheus. */
suite('dashboards of logs and traces that went through the stack', { skip: needsBackends || needsWorkshop }, () => {
  let backends: Backends;
  let scene: Scene;
  let values: Values;
  before(async () => {
    backends = await startBackends();
    scene = await playScene({ endpoint: backends.collector.url, seconds: 9 });
    values = {
      ...everything(scene),
      service: '.+',
      service_name: SERVICES,
      level: '.*',
      search: '',
      id: '',
      __auto: '10s',
      __range: '10m',
      __rate_interval: '1m',
    };
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    await backends?.[Symbol.asyncDispose]();
  });

  for (const { name, expr = '', queryType } of targets.filter(({ datasource }) => datasource.type === 'loki')) {
    test(`${name} has data of Loki`, async () => {
      const query = fill(expr, values);
      const path = queryType === 'instant' ? '/loki/api/v1/query' : '/loki/api/v1/query_range';
      await until(
        `an answer to ${query}`,
        async () => (await backends.loki.ask(`${path}?${new URLSearchParams({ query, step: '10' })}`)).result.length > 0,
        patience,
      );
    });
  }

  for (const { name, query = '' } of targets.filter(({ queryType }) => queryType === 'traceql')) {
    test(`${name} has traces of Tempo`, async () => {
      const filled = fill(query, values);
      await until(`a trace by ${filled}`, async () => (await backends.tempo.search(filled)).length > 0, patience);
    });
  }

  for (const query of panelQueries().filter(({ name, expr }) => name.startsWith('o11y-map ') && expr !== '')) {
    test(`${query.name} has data of Tempo's generator`, async () => {
      await until(
        `an answer to ${query.expr}`,
        async () => {
          const now = Date.now() / 1000;
          const phase = { start: now - 60, end: now };
          return numbers(await ask(backends.prometheus, query, values, phase)).length > 0;
        },
        patience,
      );
    });
  }

  test('every label of the service graph that a query names is there', async () => {
    const labels = await backends.prometheus.ask('/labels', { 'match[]': '{__name__=~"traces_service_graph_.*"}' });
    for (const label of ['client', 'server', 'le']) assert.ok(labels.includes(label), label);
  });

  test('the choice of a service on the dashboard of logs offers all of them', async () => {
    const names = await backends.loki.ask('/loki/api/v1/label/service_name/values');
    assert.deepEqual(names.toSorted(), SERVICES);
  });
});
