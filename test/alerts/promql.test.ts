import assert from 'node:assert/strict';
import test from 'node:test';
import { groupingsOf, selectorsOf, seriesOf } from './promql.ts';

const expr = `sum by (job, name) (rate(a_total{result="x", code!~"4..|b{c}"}[5m]))
  / on (job) group_left (version) (job:b:ratio offset 1d or {__name__=~"c|d", e="f"}) > bool 0.5 unless g_bytes == 0`;

test('finds every metric of an expression, with the labels that it is selected by', () => {
  const found = selectorsOf(expr).map(({ metric, labels }) => `${metric} ${labels.join(',')}`.trim());
  assert.deepEqual(found.sort(), ['a_total result,code', 'c e', 'd e', 'g_bytes', 'job:b:ratio']);
});

test('finds the labels of groupings and joins', () => {
  assert.deepEqual(groupingsOf(expr), ['job', 'name', 'job', 'version']);
});

test('takes a series apart', () => {
  assert.deepEqual(seriesOf('a_total{job="x", le="+Inf"}'), { metric: 'a_total', labels: ['job', 'le'] });
  assert.deepEqual(seriesOf('up'), { metric: 'up', labels: [] });
  assert.throws(() => seriesOf('{job="x"}'), /no series/);
});
