import { type Message, type ModelCall, modelCallsOf } from '../ai/model-calls.ts';
import { storage } from '../context.ts';
import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { defineLibrary, isExports } from './define.ts';

/** What the SDK tells an integration of one call of a model; each may be absent. */
interface CallEvent {
  readonly callId?: string;
  readonly embedCallId?: string;
  readonly provider?: string;
  readonly modelId?: string;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly instructions?: unknown;
  readonly messages?: readonly { readonly role?: unknown; readonly content?: unknown }[];
  readonly finishReason?: unknown;
  readonly responseId?: string;
  readonly usage?: AiUsage;
  readonly content?: readonly { readonly type?: unknown; readonly text?: unknown }[];
  readonly performance?: { readonly timeToFirstOutputMs?: number };
  readonly error?: unknown;
}

interface AiUsage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly inputTokenDetails?: { readonly cacheReadTokens?: number; readonly cacheWriteTokens?: number };
  readonly outputTokenDetails?: { readonly reasoningTokens?: number };
  /** Of embeddings. */
  readonly tokens?: number;
}

/** The list that the SDK's `registerTelemetry` fills, and that every copy of it reads at each call. */
const REGISTERED = 'AI_SDK_TELEMETRY_INTEGRATIONS';

/** The SDK's names of providers begin with these; OpenTelemetry has others for them. */
const PROVIDERS: Readonly<Record<string, string>> = {
  'amazon-bedrock': 'aws.bedrock',
  azure: 'azure.ai.openai',
  'azure-openai': 'azure.ai.openai',
  google: 'gcp.gemini',
  vertex: 'gcp.vertex_ai',
  mistral: 'mistral_ai',
  xai: 'x_ai',
};

/** Calls that are under way; beyond it a call is recorded without its tokens. */
const MOST_CALLS = 10_000;

/**
 * The Vercel AI SDK from version 7 on, by the integrations that it calls: for each call of a model, also of the several
 * that a loop of tools makes, whatever the provider. Of older versions only the HTTP requests show.
 *
 * @see https://ai-sdk.dev/docs/ai-sdk-core/telemetry
 */
export const aiSdk = defineLibrary<{ registerTelemetry: unknown }>({
  name: 'ai',
  gives:
    'Calls of models by generateText, streamText and embed, any provider: span, tokens, time to the first chunk, cost, errors.',
  packages: { ai: '>=7.0.0 <8.0.0' },
  esm: { ai: { range: '>=7.0.0 <8.0.0', files: ['dist/index.js'] } },
  accepts: (exports): exports is { registerTelemetry: unknown } =>
    isExports(exports) && typeof exports.registerTelemetry === 'function' && typeof exports.generateText === 'function',
  wire(_exports, kit) {
    const target = globalThis as unknown as Record<string, object[] | undefined>;
    const list = (target[REGISTERED] ??= []);
    if (list.some((each) => MARK in each)) return undefined;
    const integration = createIntegration(kit);
    list.push(integration);
    return () => {
      const at = list.indexOf(integration);
      if (at >= 0) list.splice(at, 1);
    };
  },
});

const MARK = Symbol('o11y-kit.integration');

function createIntegration(kit: Kit): object {
  const models = modelCallsOf(kit);
  const calls = new Map<string, ModelCall>();
  /** Ids of the embeddings of an operation, whose failure is told by the operation's id alone. */
  const embeddings = new Map<string, Set<string>>();

  function begin(id: string | undefined, operation: 'chat' | 'embeddings', event: CallEvent): ModelCall {
    const call = models.start({
      provider: providerOf(event.provider),
      operation,
      model: event.modelId,
      maxTokens: event.maxOutputTokens,
      temperature: event.temperature,
      topP: event.topP,
      messages: () => messagesOf(event),
    });
    if (id !== undefined && calls.size < MOST_CALLS) calls.set(id, call);
    return call;
  }

  function finish(id: string | undefined, error?: unknown): void {
    if (id === undefined) return;
    calls.get(id)?.end(error);
    calls.delete(id);
  }

  function finishAll({ callId, embedCallId, error }: CallEvent, failure?: unknown): void {
    for (const id of [callId, embedCallId, ...(embeddings.get(callId ?? '') ?? [])]) finish(id, error ?? failure);
    embeddings.delete(callId ?? '');
  }

  /** A failure of ours must not become one of the app's call. */
  function quietly(handle: (event: CallEvent) => void): (event: CallEvent) => void {
    return (event) => {
      try {
        handle(event ?? {});
      } catch (problem) {
        kit.diagnostics.debug(`An event of the AI SDK could not be read: ${reason(problem)}.`, 'ai');
      }
    };
  }

  return {
    [MARK]: true,
    async executeLanguageModelCall(event: CallEvent & { execute(): PromiseLike<unknown> }): Promise<unknown> {
      const { callId } = event;
      const call = begin(callId, 'chat', event);
      try {
        const result = await storage.run(call.context, () => event.execute());
        if (callId === undefined || calls.get(callId) !== call) call.end();
        return result;
      } catch (error) {
        call.end(error);
        if (callId !== undefined) calls.delete(callId);
        throw error;
      }
    },
    onLanguageModelCallEnd: quietly((event) => {
      const call = calls.get(event.callId ?? '');
      if (call === undefined) return;
      const { usage, content, performance: timing } = event;
      if (typeof timing?.timeToFirstOutputMs === 'number') {
        call.describe({ stream: true });
        call.chunk(timing.timeToFirstOutputMs);
      }
      call.answer({
        id: event.responseId,
        model: event.modelId,
        finishReasons: typeof event.finishReason === 'string' ? [event.finishReason] : [],
        text: content?.map(({ type, text }) => (type === 'text' && typeof text === 'string' ? text : '')).join(''),
        usage: {
          input: usage?.inputTokens,
          output: usage?.outputTokens,
          cachedInput: usage?.inputTokenDetails?.cacheReadTokens,
          cacheWrite: usage?.inputTokenDetails?.cacheWriteTokens || undefined,
          reasoning: usage?.outputTokenDetails?.reasoningTokens,
        },
      });
      finish(event.callId);
    }),
    onEmbedStart: quietly((event) => {
      const { callId, embedCallId } = event;
      begin(embedCallId, 'embeddings', event);
      if (callId === undefined || embedCallId === undefined || embeddings.size >= MOST_CALLS) return;
      embeddings.set(callId, (embeddings.get(callId) ?? new Set()).add(embedCallId));
    }),
    onEmbedEnd: quietly((event) => {
      const call = calls.get(event.embedCallId ?? '');
      call?.answer({ usage: { input: event.usage?.tokens } });
      finish(event.embedCallId);
    }),
    // What is still under way when the whole operation ends was cut off: by the app, or by an error in the stream.
    onAbort: quietly((event) => finishAll(event)),
    onEnd: quietly((event) => finishAll(event)),
    onStepError: quietly((event) => finishAll(event)),
    onError: quietly((event) => finishAll(event, event)),
  };
}

function providerOf(name: string | undefined): string {
  const [first] = String(name ?? '').split('.');
  return Object.hasOwn(PROVIDERS, first) ? PROVIDERS[first] : first;
}

function messagesOf({ instructions, messages }: CallEvent): Message[] {
  const first = typeof instructions === 'string' ? [{ role: 'system', content: instructions }] : [];
  return [...first, ...(messages ?? [])].map(({ role, content }) => {
    const parts: any[] = Array.isArray(content) ? content : [{ type: 'text', text: content }];
    return {
      role: String(role),
      parts: parts.map((part) =>
        typeof part?.text === 'string' ? { type: 'text', content: part.text } : { type: String(part?.type) },
      ),
    };
  });
}
