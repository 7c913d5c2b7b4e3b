import type { Message, ModelAnswer, ModelRequest } from '../ai/model-calls.ts';
import type { Usage } from '../ai/prices.ts';
import { type SdkClient, type Vendor, watchClient } from '../ai/sdk-client.ts';
import { defineLibrary, isExports } from './define.ts';

const RANGE = '>=0.20.0 <2.0.0';

interface Client {
  readonly prototype: SdkClient;
}

interface Exports {
  readonly Anthropic: Client;
  /** Under Anthropic from 0.37 on; the clients for Bedrock and Vertex are made from it too. */
  readonly BaseAnthropic?: Client;
}

interface TracingClient extends SdkClient {
  readonly openTelemetry?: { readonly tracerProvider?: unknown; readonly traces?: { readonly contentMode?: unknown } };
}

/** The Anthropic client: messages and completions, streamed or not. */
export const anthropic = defineLibrary<Exports>({
  name: '@anthropic-ai/sdk',
  gives: 'Calls of models: a span, tokens with those of the prompt cache, duration, time to the first chunk, cost, errors.',
  packages: { '@anthropic-ai/sdk': RANGE },
  esm: { '@anthropic-ai/sdk': { range: RANGE, files: ['index.mjs'] } },
  accepts: (exports): exports is Exports =>
    isExports(exports) &&
    typeof exports.Anthropic === 'function' &&
    typeof (exports as unknown as Exports).Anthropic.prototype?.post === 'function',
  wire: ({ Anthropic, BaseAnthropic }, kit) => watchClient((BaseAnthropic ?? Anthropic).prototype, VENDOR, kit),
});

const VENDOR: Vendor = {
  provider(client) {
    if (/Bedrock/.test(client.constructor.name)) return 'aws.bedrock';
    return /Vertex/.test(client.constructor.name) ? 'gcp.vertex_ai' : 'anthropic';
  },
  operation: (path) => (path === '/v1/messages' ? 'chat' : path === '/v1/complete' ? 'text_completion' : undefined),
  request(body): Partial<ModelRequest> {
    return {
      model: body.model,
      stream: body.stream === true,
      maxTokens: body.max_tokens ?? body.max_tokens_to_sample ?? undefined,
      temperature: body.temperature ?? undefined,
      topP: body.top_p ?? undefined,
      messages: () => messagesOf(body),
    };
  },
  answer({ id, model, stop_reason, usage, content, completion }): ModelAnswer {
    const parts: any[] = Array.isArray(content) ? content : [{ text: completion }];
    return {
      id,
      model,
      usage: usageOf(usage),
      finishReasons: typeof stop_reason === 'string' ? [stop_reason] : [],
      text: parts.map((part) => (typeof part?.text === 'string' ? part.text : '')).join(''),
    };
  },
  event(event): ModelAnswer {
    switch (event.type) {
      case 'message_start':
        return { id: event.message?.id, model: event.message?.model, usage: usageOf(event.message?.usage) };
      case 'content_block_delta':
        return { text: event.delta?.text };
      case 'message_delta':
        return {
          finishReasons: typeof event.delta?.stop_reason === 'string' ? [event.delta.stop_reason] : [],
          usage: usageOf(event.usage),
        };
      case 'completion':
        return { model: event.model, text: event.completion, finishReasons: event.stop_reason ? [event.stop_reason] : [] };
      default:
        return {};
    }
  },
  /**
   * Newer clients make a span of their own for each call through the global tracer. The kit's says more, so the other one
   * is left out; where the app has given the client a tracer, or asked it for contents, it stays.
   */
  options(client, options) {
    if (!isExports(options) || options.__span === undefined) return options;
    const { tracerProvider, traces } = (client as TracingClient).openTelemetry ?? {};
    return tracerProvider !== undefined || traces?.contentMode === 'content' ? options : { ...options, __span: undefined };
  },
};

/** Anthropic counts what it reads from and writes to its cache beside the input; here it is a part of it. */
function usageOf(usage: any): Usage | undefined {
  if (!isExports(usage)) return undefined;
  const { input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens } = usage as any;
  return {
    input:
      typeof input_tokens === 'number'
        ? input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0)
        : undefined,
    output: output_tokens,
    cachedInput: cache_read_input_tokens ?? undefined,
    cacheWrite: cache_creation_input_tokens ?? undefined,
  };
}

function messagesOf({ system, messages, prompt }: any): Message[] {
  const list: any[] = Array.isArray(messages) ? messages : [{ role: 'user', content: prompt }];
  const first = system === undefined ? [] : [{ role: 'system', content: system }];
  return [...first, ...list].map(({ role, content }) => {
    const parts: any[] = Array.isArray(content) ? content : [{ type: 'text', text: content }];
    return {
      role: String(role),
      parts: parts.map((part) =>
        typeof part?.text === 'string' ? { type: 'text', content: part.text } : { type: String(part?.type) },
      ),
    };
  });
}
