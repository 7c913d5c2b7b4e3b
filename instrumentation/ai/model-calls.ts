import { type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { active, correlationIdOf } from '../context.ts';
import { errorCategory, errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { costOf, priceOf, type Usage } from './prices.ts';

export type Operation = 'chat' | 'text_completion' | 'embeddings';

/** What a call asks for, as far as it is known. */
export interface ModelRequest {
  /** As OpenTelemetry names it: `openai`, `anthropic`, `azure.ai.openai`, `aws.bedrock`. */
  readonly provider: string;
  readonly operation: Operation;
  readonly model?: string;
  readonly stream?: boolean;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly address?: string;
  readonly port?: number;
  /** Asked for only where texts are to be recorded. */
  readonly messages?: () => readonly Message[];
}

/** @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md */
export interface Message {
  readonly role: string;
  readonly parts: readonly { readonly type: string; readonly content?: string }[];
}

/** What an answer, or a piece of it, says. */
export interface ModelAnswer {
  readonly id?: string;
  readonly model?: string;
  readonly finishReasons?: readonly string[];
  readonly usage?: Usage;
  /** Text that the model wrote. */
  readonly text?: string;
  /** `error.type` of a failure that the answer tells of. */
  readonly failure?: string;
}

/** One call of a model: its span, duration, tokens and cost. Nothing here throws. */
export interface ModelCall {
  /** The context in which the call is to run. */
  readonly context: Context;
  /** Adds what was not known at the start. */
  describe(request: Partial<ModelRequest>): void;
  /** A piece of a stream has come: now, or this many milliseconds after the start. */
  chunk(afterMs?: number): void;
  /** Adds what an answer or a piece of it says. */
  answer(answer: ModelAnswer): void;
  /** Ends the call, once. */
  end(error?: unknown): void;
}

export interface ModelCalls {
  start(request: ModelRequest): ModelCall;
}

const MOST_TEXT = 16_384;
const ofKit = new WeakMap<Kit, ModelCalls>();

export function modelCallsOf(kit: Kit): ModelCalls {
  let calls = ofKit.get(kit);
  if (calls === undefined) ofKit.set(kit, (calls = createModelCalls(kit)));
  return calls;
}

/**
 * Spans and metrics by OpenTelemetry's conventions for generative AI. Texts of prompts and answers are recorded only where
 * `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` asks for them.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/
 */
function createModelCalls(kit: Kit): ModelCalls {
  const { config, metrics, tracing, diagnostics } = kit;
  const duration = metrics.histogram(METRICS.aiDuration);
  const firstChunk = metrics.histogram(METRICS.aiFirstChunk);
  const tokens = metrics.histogram(METRICS.aiTokens);
  const cost = metrics.counter(METRICS.aiCost);
  const capture = !['no_content', 'false'].includes(config.captureMessageContent);

  function start(first: ModelRequest): ModelCall {
    const startedAt = performance.now();
    const parent = active();
    const span = tracing.startSpan(nameOf(first), SpanKind.CLIENT, trace.getSpanContext(parent), startedAt);
    let request = first;
    let usage: Usage = {};
    let model: string | undefined;
    let text = '';
    let failure: string | undefined;
    let firstAt: number | undefined;
    const finishReasons = new Set<string>();
    let ended = false;

    const id = correlationIdOf(parent);
    if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    span.setAttributes({ 'gen_ai.provider.name': first.provider, 'gen_ai.operation.name': first.operation });
    describeRequest(span, first, capture);

    function finish(error: unknown): void {
      const seconds = (performance.now() - startedAt) / 1000;
      const spanContext = span.spanContext();
      const labels = {
        gen_ai_provider_name: request.provider,
        gen_ai_request_model: request.model ?? '',
        gen_ai_operation_name: request.operation,
      };
      const type = error === undefined ? (failure ?? '') : errorType(error);
      duration.observe({ ...labels, error_type: type }, seconds, spanContext);
      if (firstAt !== undefined) firstChunk.observe(labels, (firstAt - startedAt) / 1000, spanContext);
      const count = (kind: string, value: number | undefined) => {
        if (value !== undefined) tokens.observe({ ...labels, gen_ai_token_type: kind }, value, spanContext);
      };
      count('input', usage.input);
      count('output', usage.output);
      if (usage.cachedInput) count('cached', usage.cachedInput);
      const dollars = dollarsOf(model ?? request.model);
      if (dollars !== undefined) cost.inc(labels, dollars);

      span.setAttributes({
        'gen_ai.usage.input_tokens': usage.input,
        'gen_ai.usage.output_tokens': usage.output,
        'gen_ai.usage.cache_read.input_tokens': usage.cachedInput,
        'gen_ai.usage.cache_creation.input_tokens': usage.cacheWrite,
        'gen_ai.usage.reasoning.output_tokens': usage.reasoning,
        'gen_ai.usage.cost_usd': dollars,
        'gen_ai.response.time_to_first_chunk': firstAt === undefined ? undefined : (firstAt - startedAt) / 1000,
        'gen_ai.response.finish_reasons': finishReasons.size > 0 ? [...finishReasons] : undefined,
      });
      if (capture && text !== '') {
        const message = { role: 'assistant', parts: [{ type: 'text', content: text }] };
        span.setAttribute('gen_ai.output.messages', JSON.stringify([message]));
      }
      if (type !== '') {
        span.setAttribute('error.type', type);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? String(error.message) : undefined });
      }
      if (error !== undefined) {
        span.setAttribute('error.category', errorCategory(error));
        span.recordException(error as Error);
        kit.onError(error);
      }
      span.end();
    }

    function dollarsOf(name: string | undefined): number | undefined {
      if (name === undefined || (usage.input === undefined && usage.output === undefined)) return undefined;
      const price = priceOf(name, config.aiPrices) ?? priceOf(request.model ?? '', config.aiPrices);
      if (price !== undefined) return costOf(usage, price);
      diagnostics.debug(`No price is known of the model ${name}: its cost is not counted. O11Y_AI_PRICES can say it.`);
      return undefined;
    }

    return {
      context: trace.setSpan(parent, span),
      describe(more) {
        request = { ...request, ...more };
        span.updateName(nameOf(request));
        describeRequest(span, more, capture);
      },
      chunk(afterMs) {
        firstAt ??= afterMs === undefined ? performance.now() : startedAt + afterMs;
      },
      answer(answer) {
        usage = { ...usage, ...defined(answer.usage) };
        if (answer.id !== undefined) span.setAttribute('gen_ai.response.id', answer.id);
        if (answer.model !== undefined) {
          model = answer.model;
          span.setAttribute('gen_ai.response.model', model);
        }
        for (const reason of answer.finishReasons ?? []) if (finishReasons.size < 16) finishReasons.add(reason);
        if (capture && answer.text && text.length < MOST_TEXT) text += answer.text.slice(0, MOST_TEXT);
        failure = answer.failure ?? failure;
      },
      end(error) {
        if (ended) return;
        ended = true;
        try {
          finish(error);
        } catch (problem) {
          diagnostics.warn(
            `O11Y_INSTRUMENTATION: a call of a model could not be recorded: ${errorType(problem)}. The app gets its answer.`,
            'model call',
          );
        }
      },
    };
  }

  return { start };
}

function nameOf({ operation, model }: ModelRequest): string {
  return model ? `${operation} ${model}` : operation;
}

function describeRequest(span: Span, request: Partial<ModelRequest>, capture: boolean): void {
  span.setAttributes({
    'gen_ai.request.model': request.model,
    'gen_ai.request.stream': request.stream || undefined,
    'gen_ai.request.max_tokens': request.maxTokens,
    'gen_ai.request.temperature': request.temperature,
    'gen_ai.request.top_p': request.topP,
    'server.address': request.address,
    'server.port': request.port,
  });
  if (capture && request.messages && span.isRecording()) {
    span.setAttribute('gen_ai.input.messages', JSON.stringify(request.messages()));
  }
}

/** Only what is a number: an absent part must not take back what an earlier piece of the answer said. */
function defined(usage: Usage | undefined): Usage {
  return Object.fromEntries(Object.entries(usage ?? {}).filter(([, value]) => typeof value === 'number'));
}
