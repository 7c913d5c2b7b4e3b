import { type Attributes, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { active, correlationIdOf, storage } from '../context.ts';
import { errorCategory, errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';

export interface OperationOptions {
  /** Part of the app that the operation belongs to; the `component` label. */
  readonly component?: string;
  /** Milliseconds after which the operation is counted and logged as timed out. It is not interrupted. */
  readonly timeoutMs?: number;
  /** Attributes of the span. */
  readonly attributes?: Attributes;
}

export type Operation = <T>(name: string, fn: () => T, options?: OperationOptions) => T;

/** Runs a function as a named operation: a span, `o11y_operation_duration_seconds`, and its error where it fails. */
export function createOperation(kit: Kit): Operation {
  const duration = kit.metrics.histogram(METRICS.operationDuration);
  const timeouts = kit.metrics.counter(METRICS.operationTimeouts);

  return function operation(name, fn, { component = '', timeoutMs, attributes } = {}) {
    const startedAt = performance.now();
    const parent = active();
    const span = kit.tracing.startSpan(
      component ? `${component}.${name}` : name,
      SpanKind.INTERNAL,
      trace.getSpanContext(parent),
      startedAt,
    );
    if (attributes) span.setAttributes(attributes);
    const id = correlationIdOf(parent);
    if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    const context = trace.setSpan(parent, span);
    const timer = timeoutMs === undefined ? undefined : setTimeout(exceeded, timeoutMs).unref();
    try {
      const result = storage.run(context, fn);
      if (!isPromise(result)) {
        finish();
        return result;
      }
      return result.then(
        (value) => {
          finish();
          return value;
        },
        (error) => {
          finish(error ?? new Error('rejected without a reason'));
          throw error;
        },
      ) as typeof result;
    } catch (error) {
      finish(error ?? new Error('thrown without a reason'));
      throw error;
    }

    function finish(error?: unknown): void {
      clearTimeout(timer);
      const type = error === undefined ? '' : errorType(error);
      duration.observe(
        { component, operation: name, error_type: type },
        (performance.now() - startedAt) / 1000,
        span.spanContext(),
      );
      if (error !== undefined) {
        span.recordException(error as Error);
        span.setAttributes({ 'error.type': type, 'error.category': errorCategory(error) });
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
        kit.onError(error);
      }
      span.end();
    }

    function exceeded(): void {
      timeouts.inc({ component, operation: name });
      span.addEvent('timeout', { 'timeout.ms': timeoutMs });
      storage.run(context, () =>
        kit.logs.logger.warn(
          { component: component || undefined, operation: name, duration_ms: timeoutMs },
          `operation ${name} exceeded ${timeoutMs} ms`,
        ),
      );
    }
  };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null)?.then === 'function' && value instanceof Promise;
}
