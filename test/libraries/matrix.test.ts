import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { type Span, startViewer, type TestViewer, type Trace } from '../../viewer/testing.ts';
import { parseSamples } from '../frameworks/samples.ts';
import { type App, spawnApp } from '../support/app.ts';
import type { Server } from '../support/servers/program.ts';
import { until } from '../support/until.ts';
import type { Call, Row } from './row.ts';
import { ROWS } from './rows.ts';

const apps = join(import.meta.dirname, '../apps/libraries');

for (const row of ROWS) {
  describe(row.library, { skip: row.skip, concurrency: 1, timeout: 180_000 }, () => {
    let server: (Server & { url: string }) | undefined;
    before(async () => {
      server = await row.server?.();
    });
    after(() => server?.stop());

    for (const copy of row.copies) {
      for (const kind of ['cjs', 'mjs']) describe(`${copy}, ${kind}`, () => observed(row, copy, kind, () => server));
    }
  });
}

interface Asked {
  readonly traceId: string;
  readonly correlationId: string;
  readonly answer: unknown;
}

function observed(row: Row, copy: string, kind: string, server: () => (Server & { url: string }) | undefined): void {
  let viewer: TestViewer;
  let app: App;
  const asked = new Map<Call, Asked>();

  before(async () => {
    viewer = await startViewer();
    app = await spawnApp({
      args: [join(apps, `run.${kind}`)],
      cwd: apps,
      endpoint: viewer.url,
      env: { APP: row.app, LIBRARY: copy, SERVER_URL: server()?.url, ...row.env },
    });
    // All first, so that their traces arrive meanwhile.
    for (const call of row.calls) asked.set(call, await ask(call));
  });
  after(async () => {
    await app?.kill();
    await viewer?.close();
  });

  for (const call of row.calls) {
    it(`draws ${call.path}`, async () => {
      const { traceId, correlationId, answer } = asked.get(call)!;
      if (call.answer !== undefined) assert.deepEqual(answer, call.answer);
      const expected = unindent(call.trace);
      const trace = await viewer.waitForTrace(traceId, { spans: expected.length });
      assert.deepEqual(draw(trace), expected);
      for (const span of trace.spans) assert.equal(span.attributes['correlation.id'], correlationId, span.name);
      for (const [name, attributes] of Object.entries(call.attributes ?? {})) {
        const span = trace.spans.find((each) => each.name === name && each.kind !== 'server');
        for (const [key, value] of Object.entries(attributes)) assert.deepEqual(span?.attributes[key], value, `${name}: ${key}`);
      }
    });
  }

  it('counts every call', async () => {
    const missing = await until(
      'the metrics',
      async () => {
        const page = await app.metrics();
        const wrong = row.metrics.filter((series) => valueIn(page, series) !== series[2]);
        return wrong.length === 0 ? 'none' : undefined;
      },
      { timeoutMs: 5000 },
    ).catch(async () => {
      const page = await app.metrics();
      return row.metrics.map(([name, labels, value]) => ({ name, labels, value, found: valueIn(page, [name, labels, value]) }));
    });
    assert.deepEqual(missing === 'none' ? [] : missing.filter(({ value, found }) => value !== found), []);
  });

  it('tells no key, value or password', async () => {
    const told =
      inspect(await viewer.waitForSpans(1), { depth: 9, maxArrayLength: null }) +
      (await app.metrics()) +
      app.stdout() +
      app.stderr();
    for (const secret of row.secrets ?? []) assert.doesNotMatch(told, new RegExp(secret));
  });

  async function ask({ path }: Call): Promise<Asked> {
    const traceId = randomBytes(16).toString('hex');
    const correlationId = `${row.library}:${randomBytes(4).toString('hex')}`;
    const response = await fetch(`http://127.0.0.1:${app.port}/${path}`, {
      headers: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, 'x-correlation-id': correlationId },
    });
    return { traceId, correlationId, answer: await response.json() };
  }

  function valueIn(page: string, [name, labels]: Row['metrics'][number]): number | undefined {
    const wanted = Object.entries(labels).map(([key, value]) => [key, value.replace('PORT', String(server()?.port))]);
    const samples = [...parseSamples(page, name), ...parseSamples(page, `${name}_count`)];
    return samples.find((sample) => wanted.every(([key, value]) => sample.labels[key] === value))?.value;
  }
}

/** As {@link Call.trace}: siblings in the order of their start. */
function draw(trace: Trace): string[] {
  const ids = new Set(trace.spans.map(({ spanId }) => spanId));
  const lines: string[] = [];
  const add = (span: Span, depth: number) => {
    const { 'error.type': type, 'error.category': category } = span.attributes;
    const error = span.status.code === 'error' ? ['ERROR', type, category] : [];
    lines.push('  '.repeat(depth) + [span.name, span.kind, ...error].filter(Boolean).join(' '));
    for (const child of trace.children(span)) add(child, depth + 1);
  };
  for (const span of trace.spans) if (!ids.has(span.parentSpanId)) add(span, 0);
  return lines;
}

function unindent(drawn: string): string[] {
  const lines = drawn.split('\n').filter((line) => line.trim() !== '');
  const indent = /^ */.exec(lines[0])![0].length;
  return lines.map((line) => line.slice(indent));
}
