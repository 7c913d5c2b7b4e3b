import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Span, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { startVendors, type Vendors } from './ai-vendors.ts';
import { type ModuleKind, type ScenarioApp, startScenario } from './resilience-app.ts';

interface Row {
  readonly package: string;
  readonly vendor: 'openai' | 'anthropic';
  readonly model: string;
  /** What this version has, beside what all have. */
  readonly has: readonly ('responses' | 'helper')[];
  readonly kinds?: readonly ModuleKind[];
}

const OPENAI = { vendor: 'openai', model: 'gpt-4o' } as const;
const ANTHROPIC = { vendor: 'anthropic', model: 'claude-sonnet-4-5' } as const;
const ROWS: readonly Row[] = [
  { package: 'openai4', ...OPENAI, has: [] },
  { package: 'openai6', ...OPENAI, has: ['responses', 'helper'], kinds: ['mjs'] },
  { package: 'openai7', ...OPENAI, has: ['responses', 'helper'] },
  { package: 'anthropic020', ...ANTHROPIC, has: [] },
  { package: '@anthropic-ai/sdk', ...ANTHROPIC, has: ['helper'] },
];

// 100 tokens in, 40 of them cached, 20 out, at 2.5, 1.25 and 10 dollars a million;
// 110 in, 40 of them cached and 10 written to the cache, 20 out, at 3, 0.3, 3.75 and 15.
const COST = { openai: 0.0004, anthropic: 0.0005295 };
const INPUT = { openai: 100, anthropic: 110 };
const FINISH = { openai: 'stop', anthropic: 'end_turn' };

for (const row of ROWS) {
  for (const kind of row.kinds ?? (['cjs', 'mjs'] as const)) observed(row, kind);
}

function observed({ package: name, vendor, model, has }: Row, kind: ModuleKind): void {
  describe(`${name} in ${kind}`, { timeout: 60_000, concurrency: 1 }, () => {
    let viewer: TestViewer;
    let vendors: Vendors;
    let app: ScenarioApp;
    let bare: ScenarioApp;
    let calls = 0;
    before(async () => {
      [viewer, vendors] = [await startViewer(), await startVendors()];
      const env = { VENDOR_URL: vendors.url };
      app = await startScenario(viewer, kind, `ai:${vendor}`, [name], { env });
      bare = await startScenario(viewer, kind, `ai:${vendor}`, [name], { env, preload: false });
    });
    after(async () => {
      await app?.[Symbol.asyncDispose]();
      await bare?.[Symbol.asyncDispose]();
      await vendors?.[Symbol.asyncDispose]();
      await viewer?.close();
    });

    /** Asks the observed app and the bare one, whose answers must agree; gives the answer and the spans of the request. */
    async function ask(path: string, asked = model): Promise<{ body: any; spans: readonly Span[]; chat: Span }> {
      const id = `call-${calls++}`;
      const { body } = await app.ask(`${path}?model=${asked}`, { 'x-correlation-id': id });
      assert.deepEqual(body, (await bare.ask(`${path}?model=${asked}`)).body);
      const [server] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } });
      const [chat] = await viewer.waitForSpans(
        (span: Span) => span.traceId === server.traceId && span.attributes['gen_ai.operation.name'] !== undefined,
      );
      return { body, spans: viewer.spans((span: Span) => span.traceId === server.traceId), chat };
    }

    it('a call: server span → chat span → HTTP span, with tokens, cost and no text', async () => {
      const { body, spans, chat } = await ask('chat');
      assert.equal(body, 'Hello, world');
      const [server, http] = [spans.find((span) => span.kind === 'server'), spans.find((span) => span.name === 'POST')];
      assert.deepEqual([spans.length, chat.name, chat.kind], [3, `chat ${model}`, 'client']);
      assert.deepEqual([chat.parentSpanId, http?.parentSpanId], [server?.spanId, chat.spanId]);
      assert.deepEqual(
        { ...chat.attributes },
        {
          'correlation.id': server?.attributes['correlation.id'],
          'gen_ai.provider.name': vendor,
          'gen_ai.operation.name': 'chat',
          'gen_ai.request.model': model,
          'gen_ai.request.max_tokens': 50,
          'gen_ai.response.id': vendor === 'openai' ? 'chatcmpl-1' : 'msg_1',
          'gen_ai.response.model': vendor === 'openai' ? 'gpt-4o-2024-08-06' : 'claude-sonnet-4-5-20250929',
          'gen_ai.response.finish_reasons': [FINISH[vendor]],
          'gen_ai.usage.input_tokens': INPUT[vendor],
          'gen_ai.usage.output_tokens': 20,
          'gen_ai.usage.cache_read.input_tokens': 40,
          ...(vendor === 'openai'
            ? { 'gen_ai.usage.reasoning.output_tokens': 5 }
            : { 'gen_ai.usage.cache_creation.input_tokens': 10 }),
          'gen_ai.usage.cost_usd': COST[vendor],
          'server.address': '127.0.0.1',
          'server.port': vendors.port,
        },
      );
      assert.ok(!JSON.stringify(spans, (_, value) => (typeof value === 'bigint' ? String(value) : value)).includes('secret'));
      const labels = ['gen_ai_provider_name', 'gen_ai_request_model', 'gen_ai_operation_name'];
      assert.deepEqual(await app.samples('gen_ai_client_token_usage_sum', ...labels, 'gen_ai_token_type'), [
        `${vendor} ${model} chat cached: 40`,
        `${vendor} ${model} chat input: ${INPUT[vendor]}`,
        `${vendor} ${model} chat output: 20`,
      ]);
      assert.deepEqual(await app.samples('gen_ai_client_operation_duration_seconds_count', ...labels, 'error_type'), [
        `${vendor} ${model} chat : 1`,
      ]);
      assert.deepEqual(await app.samples('gen_ai_client_cost_usd_total', ...labels), [
        `${vendor} ${model} chat: ${COST[vendor]}`,
      ]);
    });

    it('a stream: the same tokens, and the time to its first piece', async () => {
      const { body, chat } = await ask('stream');
      assert.equal(body, 'Hello, world');
      assert.equal(chat.name, `chat ${model}`);
      assert.equal(chat.attributes['gen_ai.request.stream'], true);
      assert.deepEqual(
        [chat.attributes['gen_ai.usage.input_tokens'], chat.attributes['gen_ai.usage.output_tokens']],
        [INPUT[vendor], 20],
      );
      assert.deepEqual(chat.attributes['gen_ai.response.finish_reasons'], [FINISH[vendor]]);
      const first = chat.attributes['gen_ai.response.time_to_first_chunk'] as number;
      assert.ok(first > 0 && first * 1000 <= chat.durationMs, `${first} s of ${chat.durationMs} ms`);
      const counted = await app.samples('gen_ai_client_operation_time_to_first_chunk_seconds_count', 'gen_ai_request_model');
      assert.deepEqual(counted, [`${model}: 1`]);
    });

    it('an error of the vendor: type, category, and the error that the app gets without the kit', async () => {
      const { body, chat } = await ask('error', 'failing-429');
      assert.equal(body, 'RateLimitError 429');
      assert.equal(chat.status.code, 'error');
      const type = chat.attributes['error.type'];
      assert.match(String(type), /^(rate_limit_exceeded|RateLimitError|rate_limit_error)$/);
      assert.equal(chat.attributes['error.category'], 'transient');
      assert.ok((await app.samples('o11y_errors_total', 'error_type', 'error_category')).includes(`${type} transient: 1`));
      assert.equal((await ask('caught', 'failing-401')).chat.attributes['error.category'], 'fatal');
    });

    it('a model without a known price has tokens and no cost', async () => {
      const { chat } = await ask('chat', 'unheard-of');
      assert.equal(chat.attributes['gen_ai.usage.output_tokens'], 20);
      assert.equal(chat.attributes['gen_ai.usage.cost_usd'], undefined);
      const costs = await app.samples('gen_ai_client_cost_usd_total', 'gen_ai_request_model');
      assert.deepEqual(
        costs.map((line) => line.split(':')[0]),
        [model],
      );
    });

    it('withResponse and asResponse', async () => {
      const { body, chat } = await ask('response');
      assert.deepEqual(body, [200, 'Hello, world', true, 'APIPromise']);
      assert.equal(chat.attributes['gen_ai.usage.output_tokens'], 20);
      assert.equal((await ask('raw')).body, 'Hello, world');
    });

    it('tee, toReadableStream and the look of a stream', async () => {
      const { body, chat } = await ask('tee');
      if (body !== 'no tee') assert.deepEqual(body, ['Hello, world', 'Hello, world']);
      if (body !== 'no tee') assert.equal(chat.attributes['gen_ai.usage.output_tokens'], 20);
      await ask('readable');
      await ask('keys');
    });

    it('a stream that the app leaves, or aborts, ends its span', async () => {
      const left = await ask('leave', 'endless');
      assert.equal(left.body[0], 'Hello');
      assert.equal(left.chat.status.code, 'unset');
      await ask('abort', 'endless');
    });

    it('an answer that nobody reads ends its span when it is collected', async () => {
      const { spans } = await ask('forget');
      assert.ok(spans.some((span) => span.attributes['gen_ai.operation.name'] === 'chat'));
    });

    if (has.includes('helper'))
      it("the client's own helper for streams", async () => {
        const { body, spans } = await ask('helper');
        assert.equal(body, 'Hello, world');
        assert.equal(spans.filter((span) => span.attributes['gen_ai.operation.name'] === 'chat').length, 1);
      });

    if (has.includes('responses'))
      it('responses, streamed or not', async () => {
        for (const path of ['responses', 'responseStream']) {
          const { body, chat } = await ask(path);
          assert.equal(body, 'Hello, world');
          assert.deepEqual([chat.name, chat.attributes['gen_ai.response.id']], [`chat ${model}`, 'resp_1']);
          assert.deepEqual(chat.attributes['gen_ai.response.finish_reasons'], ['completed']);
          assert.deepEqual(
            [chat.attributes['gen_ai.usage.input_tokens'], chat.attributes['gen_ai.usage.cost_usd']],
            [100, COST.openai],
          );
        }
      });

    if (vendor === 'openai')
      it('embeddings', async () => {
        const { body, chat } = await ask('embed', 'text-embedding-3-small');
        assert.deepEqual(body, [0.5, 0.25]);
        assert.equal(chat.name, 'embeddings text-embedding-3-small');
        assert.deepEqual(
          [chat.attributes['gen_ai.usage.input_tokens'], chat.attributes['gen_ai.usage.output_tokens']],
          [8, undefined],
        );
      });
  });
}
