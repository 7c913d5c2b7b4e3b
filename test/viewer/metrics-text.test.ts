import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { parseText } from '../../viewer/metrics/text.ts';
import { parseLine } from '../../viewer/metrics/text-line.ts';

const TRACE = 'a'.repeat(32);
const SPAN = 'b'.repeat(16);

async function page(openMetrics: boolean): Promise<string> {
  const registry = new Registry();
  if (openMetrics) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  const registers = [registry];
  const counter = new Counter({ name: 'jobs_total', help: 'Jobs\nby \\ result', labelNames: ['result'], registers });
  counter.inc({ result: 'a "quoted" \\ value\nof two lines' }, 3);
  new Gauge({ name: 'temperature', help: 'Cold', registers }).set(-2.5);
  const histogram = new Histogram({
    name: 'latency_seconds',
    help: 'Latency',
    labelNames: ['route'],
    buckets: [0.1, 0.5, 1],
    enableExemplars: openMetrics,
    registers,
  });
  for (const value of [0.05, 0.3, 0.3, 5]) {
    const exemplarLabels = { trace_id: TRACE, span_id: SPAN };
    if (openMetrics) histogram.observe({ labels: { route: '/a' }, value, exemplarLabels } as never);
    else histogram.observe({ route: '/a' }, value);
  }
  const summary = new Summary({ name: 'size_bytes', help: 'Size', percentiles: [0.5], registers });
  summary.observe(10);
  summary.observe(30);
  return registry.metrics();
}

describe('a metrics page', () => {
  for (const openMetrics of [false, true]) {
    it(`of prom-client as ${openMetrics ? 'OpenMetrics' : 'Prometheus text'} is read whole`, async () => {
      const families = new Map(parseText(await page(openMetrics)).map((family) => [family.name, family]));
      assert.deepEqual([...families.keys()], ['jobs_total', 'temperature', 'latency_seconds', 'size_bytes']);

      const jobs = families.get('jobs_total')!;
      assert.equal(jobs.type, 'counter');
      assert.equal(jobs.help, 'Jobs\nby \\ result');
      assert.equal(jobs.samples[0].value, 3);
      assert.equal(jobs.samples[0].labels.result, 'a "quoted" \\ value\nof two lines');

      assert.equal(families.get('temperature')?.samples[0].value, -2.5);

      const [latency] = families.get('latency_seconds')!.samples;
      assert.deepEqual({ ...latency.labels }, { route: '/a' });
      assert.deepEqual(latency.bounds, [0.1, 0.5, 1]);
      assert.deepEqual(latency.counts, [1, 2, 0, 1]);
      assert.equal(latency.value, 4);
      assert.equal(latency.sum, 5.65);
      const values = latency.exemplars.map(({ traceId, spanId, value }) => [traceId, spanId, value]);
      assert.deepEqual(values, openMetrics ? [0.05, 0.3, 5].map((value) => [TRACE, SPAN, value]) : []);
      if (openMetrics) assert.ok(Math.abs(latency.exemplars[0].at! - Date.now()) < 60_000);

      const [size] = families.get('size_bytes')!.samples;
      assert.equal(size.value, 2);
      assert.equal(size.sum, 40);
    });
  }

  it('of another program may have other spellings', () => {
    const families = parseText(
      [
        '# HELP x_total Counts',
        '# TYPE x_total counter',
        'x_total{le="not a bucket",} 1e3 1700000000000',
        'x_total {  a = "b" , c="d" } +Inf',
        'untyped_thing 7',
        '# TYPE h histogram',
        'h_bucket{le="1.0"} 2',
        'h_bucket{le="+Inf"} 3',
        'h_count 3',
        '{"dotted.name","a.label"="v"} 4',
        '# some remark',
        '# TYPE t info',
        'target_info{service_name="shop"} 1',
        '# EOF',
        'after_the_end 1',
      ].join('\r\n'),
    );
    const byName = Object.fromEntries(families.map((family) => [family.name, family.samples]));
    assert.deepEqual(
      byName.x_total.map(({ value }) => value),
      [1000, Number.POSITIVE_INFINITY],
    );
    assert.deepEqual({ ...byName.x_total[1].labels }, { a: 'b', c: 'd' });
    assert.equal(byName.untyped_thing[0].value, 7);
    assert.deepEqual(byName.h[0].counts, [2, 1]);
    assert.deepEqual({ ...byName['dotted.name'][0].labels }, { 'a.label': 'v' });
    assert.equal(byName.target_info[0].labels.service_name, 'shop');
    assert.equal(byName.after_the_end, undefined);
  });

  it('costs a bad line only that line', () => {
    const bad = ['x{', 'x{a=b} 1', 'x{a="b} 1', 'x{a="b"', 'x', 'x abc', '{} 1', '{"x" 1', '1x 1', 'x{="b"} 1'];
    const families = parseText([...bad, 'good 1'].join('\n'));
    assert.deepEqual(
      families.map((family) => family.name),
      ['good'],
    );
  });

  it('of any text does no harm', () => {
    const piece = fc.constantFrom(
      'x',
      'x_total',
      '{',
      '}',
      'le',
      '=',
      '"',
      '\\',
      ',',
      ' ',
      '#',
      '# TYPE x histogram',
      '1',
      '\n',
      '_bucket',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        parseText(pieces.join(''));
      }),
      { numRuns: 3000 },
    );
  });

  it('a label may have any value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const escaped = value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"');
        assert.equal(parseLine(`x{a="${escaped}"} 1`)?.labels.a, value);
      }),
    );
  });
});
