import { type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, correlationIdOf, storage } from '../context.ts';
import { type Caller, callingFrom, createCaller, isCounted } from '../databases/callers.ts';
import { reason } from '../diagnostics.ts';
import { errorCategory } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import type { Histogram } from '../metrics/metrics.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { follow } from '../settles.ts';
import { defineLibrary, isExports, together, type Undo } from './define.ts';
import { failureOf, isOfPrisma, operationOf, type PrismaOperation } from './prisma-operation.ts';

/**
 * Where clients look for tracing, by their major version. Only from 6.4 on has each major version a place of its own, so
 * that no later client meets a helper that it does not know; before, there is the one of {@link ANY_VERSION}.
 */
const PLACES = ['V6_PRISMA_INSTRUMENTATION', 'V7_PRISMA_INSTRUMENTATION'];
const ANY_VERSION = 'PRISMA_INSTRUMENTATION';
const RANGE = '>=6.4.0 <8.0.0';

/** What a client calls instead of tracing itself; every member must be there. */
interface TracingHelper {
  isEnabled(): boolean;
  getTraceParent(): string;
  getActiveContext(): undefined;
  dispatchEngineSpans(spans: unknown, events?: readonly unknown[], emit?: (event: unknown) => void): void;
  runInChildSpan<T>(options: unknown, callback: () => T): T;
}

/**
 * Operations of Prisma clients, above the queries of the driver, which are counted as calls of the database. Clients call a
 * helper that stands on `globalThis`. It stands there from the start, since a client may come with a copy of its runtime in
 * the app's own folder, where no name of a package tells it; nothing calls it where there is no client.
 *
 * Not by the official `@prisma/instrumentation`: it says nothing of failures. An app that registers that one, or any other
 * helper, has its own spans, and none of ours.
 *
 * @see https://www.prisma.io/docs/orm/prisma-client/observability-and-logging/opentelemetry-tracing
 */
export const prisma = defineLibrary<object>({
  name: 'prisma',
  gives:
    'Operations by model and method (`Customer.findMany`), and transactions, never an argument: a span each above those of its queries, durations as operations of the component `prisma`, errors with their category. Queries and pool are those of the driver below an adapter (pg); those of the Rust engine are not seen.',
  packages: { '@prisma/client': RANGE, '@prisma/client/runtime/client': RANGE, '@prisma/client/runtime/library': RANGE },
  accepts: (exports): exports is object =>
    isExports(exports) && (typeof exports.PrismaClient === 'function' || typeof exports.getPrismaClient === 'function'),
  bind(kit) {
    const helper = createHelper(kit);
    return together(PLACES.map((place) => offer(place, helper)));
  },
  // What is loaded is only noted.
  wire: () => undefined,
});

/** Puts the helper where a client looks, below any other that is there, or will be. */
function offer(place: string, helper: TracingHelper): Undo {
  const target = globalThis as unknown as Record<string, unknown>;
  if (Object.hasOwn(target, place)) return () => {};
  const ours = { helper };
  const get = () => target[ANY_VERSION] ?? ours;
  Object.defineProperty(target, place, {
    configurable: true,
    enumerable: false,
    get,
    set: (value: unknown) =>
      Object.defineProperty(target, place, { value, configurable: true, enumerable: true, writable: true }),
  });
  return () => {
    if (Object.getOwnPropertyDescriptor(target, place)?.get === get) Reflect.deleteProperty(target, place);
  };
}

/** An operation that runs. */
interface Running {
  readonly operation: PrismaOperation;
  readonly caller: Caller;
  /** Absent outside of a trace: a poller would fill the backend with traces of one span. */
  readonly span: Span | undefined;
  readonly context: Context;
  readonly startedAt: number;
}

function createHelper(kit: Kit): TracingHelper {
  // Made with the first operation: most apps have none.
  let duration: Histogram | undefined;

  /** What the kit adds must never become the app's error. */
  function guarded<T>(fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      kit.diagnostics.debug(`an operation of Prisma could not be observed: ${reason(error)}`, 'prisma');
      return undefined;
    }
  }

  function begin(operation: PrismaOperation): Running | undefined {
    const parent = active();
    if (isTracingSuppressed(parent)) return undefined;
    const startedAt = performance.now();
    const caller = createCaller(parent);
    const spanContext = trace.getSpanContext(parent);
    const span =
      spanContext === undefined || !kit.tracing.enabled
        ? undefined
        : kit.tracing.startSpan(operation.name, SpanKind.INTERNAL, spanContext, startedAt);
    if (span?.isRecording()) {
      span.setAttribute('prisma.method', operation.method);
      if (operation.model !== undefined) span.setAttribute('prisma.model', operation.model);
      const id = correlationIdOf(parent);
      if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    }
    const context = callingFrom(span === undefined ? parent : trace.setSpan(parent, span), caller);
    return { operation, caller, span, context, startedAt };
  }

  function end(running: Running, error?: unknown): void {
    const { operation, span, startedAt } = running;
    const endedAt = performance.now();
    const failure = error === undefined ? undefined : failureOf(error);
    const labels = { component: 'prisma', operation: operation.name, error_type: failure?.type ?? '' };
    duration ??= kit.metrics.histogram(METRICS.operationDuration);
    duration.observe(labels, (endedAt - startedAt) / 1000, span?.spanContext());
    if (failure !== undefined) {
      count(error, running);
      if (span?.isRecording()) {
        span.setAttribute('error.type', failure.type);
        span.setAttribute('error.category', errorCategory(error));
        span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
      }
    }
    (span as { endAt?: (reading: number) => void } | undefined)?.endAt?.(endedAt);
  }

  function count(error: unknown, { operation, caller }: Running): void {
    if (caller.outer !== undefined) caller.outer.inner = error;
    // A transaction also ends with what the app throws in it to take it back.
    const isOfApp = operation.method === '$transaction' && !isOfPrisma(error);
    if (!isOfApp && !isCounted(caller, error)) kit.onError(error);
  }

  return {
    // Of what this switches on nothing is used: the Rust engine measures and reports each of its steps, and the client asks for
    // a span of each query, which the driver below has. Operations are told whatever it says.
    isEnabled: () => false,
    // What the client itself says where nobody traces: `-00` is "not sampled", so no comment is added to an SQL statement.
    getTraceParent: () => '00-10-10-00',
    getActiveContext: () => undefined,
    dispatchEngineSpans(_spans, events, emit) {
      // Log lines of a remote engine come this way too, and are the app's.
      for (const event of events ?? []) emit?.(event);
    },
    runInChildSpan(options, callback) {
      const operation = operationOf(options);
      const running = operation && guarded(() => begin(operation));
      if (running === undefined) return callback();
      try {
        const result = storage.run(running.context, callback);
        return follow(result, (error) => guarded(() => end(running, error)));
      } catch (error) {
        guarded(() => end(running, error ?? new Error('thrown without a reason')));
        throw error;
      }
    },
  };
}
