import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { parser as logql } from '@grafana/lezer-logql';
import { parser as traceql } from '@grafana/lezer-traceql';
import type { LRParser } from '@lezer/lr';
import { DASHBOARDS } from '../../dashboards/index.ts';
import { panelsOf } from '../../dashboards/parts/describe.ts';
import { fill } from './fill.ts';
import { urlsOf } from './links.ts';

/** What Grafana fills in where several services are chosen, and where something was typed into the boxes. */
const CHOSEN = {
  service: ['gateway', 'orders'],
  service_name: ['gateway', 'orders'],
  level: '.+',
  search: 'time.?out',
  id: '0af7651916cd43dd',
  candidate: '1.1.0',
  job: 'gateway',
  client: '.*',
  server: '.*',
  __auto: '1m',
  __range: '1h',
};

/** Places where a grammar does not understand a query. */
function faults(parser: LRParser, text: string): string[] {
  const found: string[] = [];
  parser.parse(text).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) found.push(`${text.slice(0, from)}⟨here⟩${text.slice(from, to)}`);
    },
  });
  return found;
}

/** Explore's queries behind the links, with something clicked. */
function linkedQueries(dashboard: Dashboard): { type: string; query: string }[] {
  return urlsOf(dashboard).flatMap((url) => {
    const panes = /panes=(.*)$/.exec(url)?.[1];
    if (!panes) return [];
    const clicked = panes
      .replaceAll(/\$\{__(?:field|data)[^}]*\}/g, 'clicked')
      .replaceAll(/\$\{__\w+\}|\$\{\w+_datasource\}/g, '0');
    const [pane] = Object.values<any>(JSON.parse(decodeURIComponent(fill(clicked, CHOSEN))));
    const [{ expr, query }] = pane.queries;
    return [{ type: pane.queries[0].queryType === 'traceql' ? 'tempo' : 'loki', query: expr ?? query }];
  });
}

for (const dashboard of DASHBOARDS) {
  const targets = panelsOf(dashboard).flatMap(({ title = '', targets = [] }) =>
    (targets as unknown as { expr?: string; query?: string; datasource: { type: string } }[]).map((target) => ({
      title,
      ...target,
    })),
  );
  suite(dashboard.uid!, () => {
    for (const { title, datasource, expr, query } of targets) {
      if (datasource.type === 'loki') test(`LogQL of ${title}`, () => assert.deepEqual(faults(logql, fill(expr!, CHOSEN)), []));
      if (datasource.type === 'tempo' && query)
        test(`TraceQL of ${title}`, () => assert.deepEqual(faults(traceql, fill(query, CHOSEN)), []));
    }
    for (const { type, query } of linkedQueries(dashboard)) {
      test(`link to Explore: ${query}`, () => {
        assert.deepEqual(faults(type === 'loki' ? logql : traceql, query), []);
      });
    }
  });
}

test('the grammars find what is wrong', () => {
  assert.notDeepEqual(faults(logql, 'sum by (level) (count_over_time({a="b" [1m]))'), []);
  assert.notDeepEqual(faults(traceql, '{ resource.service.name = && status = error }'), []);
});
