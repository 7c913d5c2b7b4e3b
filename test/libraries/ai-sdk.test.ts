import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Span, startViewer, type TestViewer } from '../../viewer/testing.ts';
import { startVendors, type Vendors } from './ai-vendors.ts';
import { type ScenarioApp, startScenario } from './resilience-app.ts';

for (const kind of ['cjs', 'mjs'] as const) {
  describe(`ai 7 in ${kind}`, { timeout: 60_000, concurrency: 1 }, () => {
    let viewer: TestViewer;
    let vendors: Vendors;
    let app: ScenarioApp;
    let calls = 0;
    before(async () => {
      [viewer, vendors] = [await startViewer(), await startVendors()];
      app = await startScenario(viewer, kind, 'ai-sdk', ['ai', '@ai-sdk/openai'], { env: { VENDOR_URL: vendors.url } });
    });
    after(async () => {
      await app?.[Symbol.asyncDispose]();
      await vendors?.[Symbol.asyncDispose]();
      await viewer?.close();
    });

    async function ask(path: string, model: string): Promise<{ body: any; spans: readonly Span[]; call: Span }> {
      const id = `call-${calls++}`;
      const { body } = await app.ask(`${path}?model=${model}`, { 'x-correlation-id': id });
      const [server] = await viewer.waitForSpans({ kind: 'server', attributes: { 'correlation.id': id } });
      const ofTrace = (span: Span) => span.traceId === server.traceId;
      const [call] = await viewer.waitForSpans(
        (span: Span) => ofTrace(span) && span.attributes['gen_ai.operation.name'] !== undefined,
      );
      return { body, spans: viewer.spans(ofTrace), call };
    }

    it('generateText: server span → chat span → HTTP span, with tokens, cost and no text', async () => {
      const { body, spans, call } = await ask('chat', 'gpt-4o');
      assert.equal(body, 'Hello, world');
      const [server, http] = [spans.find((span) => span.kind === 'server'), spans.find((span) => span.name === 'POST')];
      assert.deepEqual([spans.length, call.name, call.kind], [3, 'chat gpt-4o', 'client']);
      assert.deepEqual([call.parentSpanId, http?.parentSpanId], [server?.spanId, call.spanId]);
      assert.deepEqual(
        { ...call.attributes },
        {
          'correlation.id': server?.attributes['correlation.id'],
          'gen_ai.provider.name': 'openai',
          'gen_ai.operation.name': 'chat',
          'gen_ai.request.model': 'gpt-4o',
          'gen_ai.request.max_tokens': 50,
          'gen_ai.response.id': 'chatcmpl-1',
          'gen_ai.response.model': 'gpt-4o-2024-08-06',
          'gen_ai.response.finish_reasons': ['stop'],
          'gen_ai.usage.input_tokens': 100,
          'gen_ai.usage.output_tokens': 20,
          'gen_ai.usage.cache_read.input_tokens': 40,
          'gen_ai.usage.reasoning.output_tokens': 5,
          'gen_ai.usage.cost_usd': 0.0004,
        },
      );
    });

    it('the Responses API', async () => {
      const { body, call } = await ask('responses', 'gpt-4o');
      assert.equal(body, 'Hello, world');
      assert.deepEqual([call.attributes['gen_ai.provider.name'], call.attributes['gen_ai.usage.output_tokens']], ['openai', 20]);
    });

    it('streamText: the same tokens, and the time to its first piece', async () => {
      const { body, call } = await ask('stream', 'gpt-4o');
      assert.equal(body, 'Hello, world');
      assert.deepEqual([call.attributes['gen_ai.usage.input_tokens'], call.attributes['gen_ai.usage.output_tokens']], [100, 20]);
      assert.equal(call.attributes['gen_ai.request.stream'], true);
      assert.ok((call.attributes['gen_ai.response.time_to_first_chunk'] as number) > 0);
    });

    it('an error of the vendor: type and category', async () => {
      const { body, call } = await ask('error', 'failing-429');
      assert.equal(body, 'AI_APICallError');
      assert.deepEqual([call.status.code, call.attributes['error.category']], ['error', 'transient']);
      assert.equal(call.attributes['error.type'], 'AI_APICallError');
    });

    it('a stream that the app aborts ends its span', async () => {
      assert.equal((await ask('abort', 'endless')).body, 'aborted');
    });

    it('embed, and one that fails', async () => {
      const { body, call } = await ask('embed', 'text-embedding-3-small');
      assert.deepEqual(body, [0.5, 0.25]);
      assert.deepEqual([call.name, call.attributes['gen_ai.usage.input_tokens']], ['embeddings text-embedding-3-small', 8]);
      const failed = await ask('embedError', 'failing-400');
      assert.equal(failed.body, 'AI_APICallError');
      assert.equal(failed.call.status.code, 'error');
    });
  });
}
