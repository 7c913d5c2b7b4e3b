import {
  type Attributes,
  type AttributeValue,
  type Context,
  type Exception,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, storage } from '../context.ts';
import { type Failure, failureOf } from './failure.ts';

/** One call of a client, as an instrumentation described it; handed over when it has ended. */
export interface Call {
  /** As the instrumentation named the span. */
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Readonly<Attributes>;
  /** The span in the caller's trace. Absent where there is no trace, or tracing is off. */
  readonly span: Span | undefined;
  readonly failure: Failure | undefined;
  /** The context in which the call was made. */
  readonly context: Context;
  /** `performance.now()` readings. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface CallTracerOptions {
  /** Starts the span of a call in the trace of its caller; undefined where the call shall have none. */
  startSpan(name: string, kind: SpanKind, parent: SpanContext, startedAt: number, attributes: Attributes): Span | undefined;
  /** The same for a call that is made in no trace; without it such a call has no span. */
  startRoot?(name: string, kind: SpanKind, startedAt: number, attributes: Attributes): Span | undefined;
  /** Looks at a call that has ended. It must not throw, and it ends `call.span`. */
  ended(call: Call): void;
}

const NOTHING = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/**
 * A tracer to give to official instrumentations of clients. Each span that they start becomes one {@link Call}, whether
 * there is a trace or not and whether it is sampled or not: metrics, health and slow calls are told from it, in one pass,
 * and only what belongs to a trace becomes a span in it. Where tracing is suppressed nothing is recorded.
 */
export function callTracerProvider(options: CallTracerOptions): TracerProvider {
  const tracer: Tracer = {
    startSpan(name, spanOptions = {}, context = active()) {
      return isTracingSuppressed(context) ? NOTHING : new CallSpan(options, name, spanOptions, context);
    },
    startActiveSpan(name: string, ...rest: unknown[]) {
      const fn = rest.pop() as (span: Span) => unknown;
      const [spanOptions, context = active()] = rest as [SpanOptions | undefined, Context | undefined];
      const span = tracer.startSpan(name, spanOptions, context);
      return storage.run(trace.setSpan(context, span), fn, span);
    },
  } as Tracer;
  return { getTracer: () => tracer };
}

let told: unknown;

function takeTold(): unknown {
  const error = told;
  told = undefined;
  return error;
}

/**
 * Runs a callback that gets an error, so that the span which ends in it knows the error itself: some instrumentations pass
 * on nothing but its message, or see none where a server reports it inside of an answer.
 */
export function telling<T>(error: unknown, callback: () => T): T {
  told = error;
  try {
    return callback();
  } finally {
    told = undefined;
  }
}

/** The same for a span that ends in the next reaction to a promise, which is attached right after the caller's own. */
export function tellNext(error: unknown): void {
  told = error;
  queueMicrotask(() => {
    if (told === error) told = undefined;
  });
}

class CallSpan implements Span {
  readonly #options: CallTracerOptions;
  readonly #span: Span | undefined;
  readonly #context: Context;
  readonly #startedAt = performance.now();
  readonly #attributes: Attributes;
  readonly #kind: SpanKind;
  #name: string;
  #failure: Failure | undefined;
  #ended = false;

  constructor(options: CallTracerOptions, name: string, { attributes, kind = SpanKind.INTERNAL }: SpanOptions, context: Context) {
    this.#options = options;
    this.#name = name;
    this.#kind = kind;
    this.#attributes = { ...attributes };
    this.#context = context;
    const parent = trace.getSpanContext(context);
    // A call without a trace hands down an invalid context, which is none.
    this.#span =
      parent !== undefined && parent.spanId !== INVALID_SPAN_CONTEXT.spanId
        ? options.startSpan(name, kind, parent, this.#startedAt, this.#attributes)
        : options.startRoot?.(name, kind, this.#startedAt, this.#attributes);
  }

  spanContext(): SpanContext {
    return this.#span?.spanContext() ?? trace.getSpanContext(this.#context) ?? INVALID_SPAN_CONTEXT;
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.#attributes[key] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    Object.assign(this.#attributes, attributes);
    return this;
  }

  addEvent(name: string, attributes?: Attributes | TimeInput, time?: TimeInput): this {
    this.#span?.addEvent(name, attributes, time);
    return this;
  }

  addLink(link: Link): this {
    this.#span?.addLink(link);
    return this;
  }

  addLinks(links: Link[]): this {
    this.#span?.addLinks(links);
    return this;
  }

  setStatus({ code, message }: SpanStatus): this {
    if (code === SpanStatusCode.ERROR) {
      const known = this.#failure ?? failureOf(takeTold());
      this.#failure = known.message ? known : { ...known, message: message ?? '' };
    }
    return this;
  }

  updateName(name: string): this {
    this.#name = name;
    return this;
  }

  recordException(exception: Exception): void {
    this.#failure ??= failureOf(takeTold() ?? exception);
  }

  isRecording(): boolean {
    return !this.#ended;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const error = takeTold();
    if (error !== undefined) this.#failure ??= failureOf(error);
    this.#options.ended({
      name: this.#name,
      kind: this.#kind,
      attributes: this.#attributes,
      span: this.#span,
      failure: this.#failure,
      context: this.#context,
      startedAt: this.#startedAt,
      endedAt: performance.now(),
    });
  }
}
