import type { Message, ModelAnswer, ModelRequest, Operation } from '../ai/model-calls.ts';
import type { Usage } from '../ai/prices.ts';
import { type SdkClient, type Vendor, watchClient } from '../ai/sdk-client.ts';
import { defineLibrary, isExports } from './define.ts';

const OPERATIONS: Readonly<Record<string, Operation>> = {
  '/chat/completions': 'chat',
  '/responses': 'chat',
  '/completions': 'text_completion',
  '/embeddings': 'embeddings',
};

/** Others speak the same protocol; they are told by the host that is called. */
const HOSTS: readonly (readonly [RegExp, string])[] = [
  [/\.azure\.com$/, 'azure.ai.openai'],
  [/\.amazonaws\.com$/, 'aws.bedrock'],
  [/(^|\.)deepseek\.com$/, 'deepseek'],
  [/(^|\.)groq\.com$/, 'groq'],
  [/(^|\.)mistral\.ai$/, 'mistral_ai'],
  [/(^|\.)perplexity\.ai$/, 'perplexity'],
  [/(^|\.)x\.ai$/, 'x_ai'],
  [/(^|\.)googleapis\.com$/, 'gcp.gemini'],
  [/(^|\.)openrouter\.ai$/, 'openrouter'],
];

const RANGE = '>=4.0.0 <8.0.0';

interface Exports {
  readonly OpenAI: { readonly prototype: SdkClient };
}

/** The OpenAI client: chat completions, responses, completions and embeddings, streamed or not. */
export const openai = defineLibrary<Exports>({
  name: 'openai',
  gives:
    'Calls of models: a span, tokens (of streams where `stream_options.include_usage` asks for them), duration, cost, errors.',
  packages: { openai: RANGE },
  esm: { openai: { range: RANGE, files: ['index.mjs'] } },
  accepts: (exports): exports is Exports =>
    isExports(exports) &&
    typeof exports.OpenAI === 'function' &&
    typeof (exports as unknown as Exports).OpenAI.prototype?.post === 'function',
  wire: ({ OpenAI }, kit) => watchClient(OpenAI.prototype, VENDOR, kit),
});

const VENDOR: Vendor = {
  provider(client) {
    const { baseURL } = client;
    if (client.constructor.name === 'AzureOpenAI') return 'azure.ai.openai';
    if (client.constructor.name === 'BedrockOpenAI') return 'aws.bedrock';
    const host = typeof baseURL === 'string' && URL.canParse(baseURL) ? new URL(baseURL).hostname : '';
    return HOSTS.find(([pattern]) => pattern.test(host))?.[1] ?? 'openai';
  },
  operation: (path) => (Object.hasOwn(OPERATIONS, path) ? OPERATIONS[path] : undefined),
  request(body): Partial<ModelRequest> {
    return {
      model: body.model,
      stream: body.stream === true,
      maxTokens: body.max_output_tokens ?? body.max_completion_tokens ?? body.max_tokens ?? undefined,
      temperature: body.temperature ?? undefined,
      topP: body.top_p ?? undefined,
      messages: () => messagesOf(body),
    };
  },
  answer,
  event(event): ModelAnswer {
    // The Responses API sends events with a type; the others send pieces of the answer.
    if (typeof event.type !== 'string') return answer(event);
    if (event.type === 'response.output_text.delta') return { text: event.delta };
    const { id, model, status, incomplete_details, usage, error } = event.response ?? {};
    if (id === undefined) return {};
    return {
      id,
      model,
      usage: usageOf(usage),
      finishReasons: status === 'in_progress' || status === 'queued' ? [] : texts([incomplete_details?.reason ?? status]),
      failure: status === 'failed' ? String(error?.code ?? 'failed') : undefined,
    };
  },
};

function answer(body: any): ModelAnswer {
  const { id, model, choices, usage } = body;
  if (Array.isArray(choices)) {
    return {
      id,
      model,
      usage: usageOf(usage),
      finishReasons: texts(choices.map((choice) => choice?.finish_reason)),
      text: texts(choices.map((choice) => choice?.message?.content ?? choice?.delta?.content ?? choice?.text)).join(''),
    };
  }
  const { status, incomplete_details, output } = body;
  return {
    id,
    model,
    usage: usageOf(usage),
    finishReasons: texts([incomplete_details?.reason ?? status]),
    text: Array.isArray(output) ? texts(output.flatMap((item) => item?.content ?? []).map((part) => part?.text)).join('') : '',
  };
}

function usageOf(usage: any): Usage | undefined {
  if (!isExports(usage)) return undefined;
  const { prompt_tokens, completion_tokens, input_tokens, output_tokens } = usage as any;
  const input = (usage as any).prompt_tokens_details ?? (usage as any).input_tokens_details;
  const output = (usage as any).completion_tokens_details ?? (usage as any).output_tokens_details;
  return {
    input: input_tokens ?? prompt_tokens,
    output: output_tokens ?? completion_tokens,
    cachedInput: input?.cached_tokens,
    reasoning: output?.reasoning_tokens,
  };
}

function messagesOf(body: any): Message[] {
  const { messages, input, prompt, instructions } = body;
  const given = messages ?? input ?? prompt;
  const list: any[] = Array.isArray(given) ? given : [given];
  const first = typeof instructions === 'string' ? [{ role: 'system', content: instructions }] : [];
  return [...first, ...list].map((message) => {
    const content = typeof message === 'string' ? message : message?.content;
    const parts: any[] = Array.isArray(content) ? content : [{ type: 'text', text: content }];
    return {
      role: String(message?.role ?? 'user'),
      parts: parts.map((part) =>
        typeof part?.text === 'string' ? { type: 'text', content: part.text } : { type: String(part?.type) },
      ),
    };
  });
}

function texts(values: readonly unknown[]): string[] {
  return values.filter((value): value is string => typeof value === 'string' && value !== '');
}
