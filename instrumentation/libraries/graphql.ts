import { type ChannelListener, tracingChannel } from 'node:diagnostics_channel';
import { type Context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { active, correlationIdOf, storage } from '../context.ts';
import { reason } from '../diagnostics.ts';
import { errorCategory } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import type { Histogram } from '../metrics/metrics.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { follow } from '../settles.ts';
import { defineLibrary, isExports, type Undo } from './define.ts';
import { type ErrorOfResult, failureOf, operationIn } from './graphql-operation.ts';
import { loadedFile } from './official.ts';
import { type Method, patch } from './patch.ts';

/** An operation that is being executed. */
interface Execution {
  readonly type: string;
  readonly span: Span;
  readonly context: Context;
  readonly startedAt: number;
}

/** What `graphql:execute` publishes from version 17 on: the same object at the start and at the end. */
interface Message {
  readonly operationType?: string;
  readonly operationName?: string;
  readonly result?: unknown;
  readonly error?: unknown;
}

const FILE = 'graphql/execution/execute.js';
const LONGEST_NAME = 100;

/**
 * GraphQL, below every server that executes with the `graphql` package. Version 17 publishes each execution on a channel;
 * in version 16 the function itself is wrapped, where the package's own files look it up. The document is never recorded,
 * since it holds values; nor are resolvers, since there may be thousands.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/graphql/graphql-spans/
 */
export const graphql = defineLibrary<object>({
  name: 'graphql',
  gives: 'Queries and mutations: a span each, by type and name, durations by type, errors of resolvers with their category.',
  packages: { graphql: '>=16.0.0 <18.0.0' },
  accepts: (exports): exports is object =>
    isExports(exports) && typeof exports.execute === 'function' && typeof exports.GraphQLSchema === 'function',
  bind: (kit) => listen(createExecutions(kit)),
  wire(_exports, kit, copy) {
    if (copy.version?.startsWith('17.')) return undefined;
    const file = loadedFile(copy, FILE);
    if (!isExports(file)) throw new Error(`${FILE} has not been loaded`);
    const executions = createExecutions(kit);
    return patch(file, 'execute', (original) => wrapped(original, executions));
  },
});

interface Executions {
  /** Undefined where there is nothing to observe: a subscription's events, or an operation that is not in the document. */
  begin(type: string | undefined, name: string | undefined): Execution | undefined;
  /** With what was returned, or with what was thrown. */
  end(execution: Execution, result: unknown, thrown?: unknown): void;
}

function createExecutions(kit: Kit): Executions {
  // Made with the first operation: most apps have none.
  let duration: Histogram | undefined;

  /** What the kit adds must never become the app's error. */
  function guarded<T>(fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      kit.diagnostics.debug(`an operation of GraphQL could not be observed: ${reason(error)}`, 'graphql');
      return undefined;
    }
  }

  function open(type: string, name: string | undefined): Execution | undefined {
    const parent = active();
    if (isTracingSuppressed(parent)) return undefined;
    const startedAt = performance.now();
    const title = name ? `${type} ${name.slice(0, LONGEST_NAME)}` : type;
    const span = kit.tracing.startSpan(title, SpanKind.INTERNAL, trace.getSpanContext(parent), startedAt);
    if (span.isRecording()) {
      span.setAttribute('graphql.operation.type', type);
      if (name) span.setAttribute('graphql.operation.name', name.slice(0, LONGEST_NAME));
      const id = correlationIdOf(parent);
      if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    }
    return { type, span, startedAt, context: trace.setSpan(parent, span) };
  }

  function close({ type, span, startedAt }: Execution, result: unknown, thrown: unknown): void {
    const endedAt = performance.now();
    const errors = thrown === undefined ? errorsOf(result) : [thrown as ErrorOfResult];
    const first = errors.length === 0 ? undefined : failureOf(errors[0]);
    // Names of operations are the caller's, so no label has them.
    const labels = { component: 'graphql', operation: type, error_type: first?.type ?? '' };
    duration ??= kit.metrics.histogram(METRICS.operationDuration);
    duration.observe(labels, (endedAt - startedAt) / 1000, span.spanContext());
    for (const error of errors) {
      const { ofCaller, thrown: own } = failureOf(error);
      if (!ofCaller) kit.onError(own);
    }
    if (first !== undefined && span.isRecording()) {
      span.setAttribute('error.type', first.type);
      span.setAttribute('error.category', first.ofCaller ? 'invalid_input' : errorCategory(first.thrown));
      // What the caller did wrong is no failure of this service, as with a status of 400.
      if (!first.ofCaller) span.setStatus({ code: SpanStatusCode.ERROR, message: first.message });
    }
    (span as { endAt?: (reading: number) => void }).endAt?.(endedAt);
  }

  return {
    begin: (type, name) => (type === 'query' || type === 'mutation' ? guarded(() => open(type, name)) : undefined),
    end: (execution, result, thrown) => void guarded(() => close(execution, result, thrown)),
  };
}

/** A resolver that fails for each of a thousand rows is one thing that went wrong, or a few. */
const MOST_ERRORS = 10;

function errorsOf(result: unknown): readonly ErrorOfResult[] {
  const { errors, initialResult } = Object(result) as { errors?: unknown; initialResult?: { errors?: unknown } };
  const list = errors ?? initialResult?.errors;
  return Array.isArray(list) ? list.slice(0, MOST_ERRORS) : [];
}

/** Before version 17. */
function wrapped(execute: Method, { begin, end }: Executions): Method {
  return function (this: unknown, ...args) {
    const operation = operationIn(args[0]?.document, args[0]?.operationName);
    const execution = begin(operation?.type, operation?.name);
    if (execution === undefined) return Reflect.apply(execute, this, args);
    try {
      const result = storage.run(execution.context, () => Reflect.apply(execute, this, args));
      return follow(result, (error, value) => end(execution, value, error));
    } catch (error) {
      end(execution, undefined, error ?? new Error('thrown without a reason'));
      throw error;
    }
  };
}

/** From version 17 on. Resolvers run in the context that is bound to the channel's start. */
function listen({ begin, end }: Executions): Undo {
  const { start, end: returned, asyncEnd } = tracingChannel('graphql:execute');
  const executions = new WeakMap<object, Execution>();

  const enter = (message: unknown): Context => {
    const { operationType, operationName } = safely(message as Message);
    const execution = begin(operationType, operationName);
    if (execution === undefined) return active();
    executions.set(message as object, execution);
    return execution.context;
  };
  const leave: ChannelListener = (message) => {
    const execution = executions.get(message as object);
    if (execution === undefined) return;
    executions.delete(message as object);
    const { result, error } = message as Message;
    end(execution, result, error);
  };
  // Of an execution that goes on, it says neither result nor error yet.
  const leaveAtOnce: ChannelListener = (message) => {
    const { result, error } = message as Message;
    if (result !== undefined || error !== undefined) leave(message, '');
  };
  start.bindStore(storage, enter);
  returned.subscribe(leaveAtOnce);
  asyncEnd.subscribe(leave);
  return () => {
    start.unbindStore(storage);
    returned.unsubscribe(leaveAtOnce);
    asyncEnd.unsubscribe(leave);
  };
}

/** They are getters, which look into a document of any shape. */
function safely(message: Message): Message {
  try {
    return { operationType: message.operationType, operationName: message.operationName };
  } catch {
    return {};
  }
}
