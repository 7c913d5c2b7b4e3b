import { type Attributes, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { active, correlationIdOf, storage } from '../context.ts';
import { errorCategory, errorType } from '../error-type.ts';
import type { Kit } from '../kit.ts';
import { CORRELATION_ID, METRICS } from '../names.ts';
import { follow } from '../settles.ts';

export interface OperationOptions {
  /** Part of the app that the operation belongs to; the `component` label. */
  readonly component?: string;
  /** Milliseconds after which the operation is counted and logged as timed out. It is not interrupted. */
  readonly timeoutMs?: number;
  /** Attributes of the span. */
  readonly attributes?: Attributes;
}

export type Operation = <T>(name: string, fn: () => T, options?: OperationOptions) => T;

const MOST_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Runs a function as a named operation: a span, `o11y_operation_duration_seconds`, and its error where it fails. A promise,
 * or anything with a `then`, is waited for; what is returned then is the promise that follows it.
 */
export function createOperation(kit: Kit): Operation {
  const duration = kit.metrics.histogram(METRICS.operationDuration);
  const timeouts = kit.metrics.counter(METRICS.operationTimeouts);

  return function operation(name, fn, options) {
    const { component = '', timeoutMs, attributes } = options ?? {};
    const startedAt = performance.now();
    const parent = active();
    const title = component ? `${component}.${name}` : String(name);
    const span = kit.tracing.startSpan(title, SpanKind.INTERNAL, trace.getSpanContext(parent), startedAt);
    if (attributes) span.setAttributes(attributes);
    const id = correlationIdOf(parent);
    if (id !== undefined) span.setAttribute(CORRELATION_ID, id);
    const context = trace.setSpan(parent, span);
    const timer = isTimeout(timeoutMs) ? setTimeout(exceeded, timeoutMs).unref() : undefined;
    try {
      return follow(storage.run(context, fn), finish);
    } catch (error) {
      finish(error ?? new Error('thrown without a reason'));
      throw error;
    }

    function finish(error?: unknown): void {
      clearTimeout(timer);
      const type = error === undefined ? '' : errorType(error);
      const seconds = (performance.now() - startedAt) / 1000;
      duration.observe({ component, operation: String(name), error_type: type }, seconds, span.spanContext());
      if (error !== undefined) {
        span.recordException(error as Error);
        span.setAttributes({ 'error.type': type, 'error.category': errorCategory(error) });
        span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
        kit.onError(error);
      }
      span.end();
    }

    function exceeded(): void {
      timeouts.inc({ component, operation: String(name) });
      span.addEvent('timeout', { 'timeout.ms': timeoutMs });
      storage.run(context, () =>
        kit.logs.logger.warn(
          { component: component || undefined, operation: String(name), duration_ms: timeoutMs },
          `operation ${title} exceeded ${timeoutMs} ms`,
        ),
      );
    }
  };
}

function isTimeout(ms: unknown): ms is number {
  return typeof ms === 'number' && ms >= 0 && ms <= MOST_TIMEOUT_MS;
}

/** Never throws: it is the app's error that the caller must see. */
function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'an error without a text';
  }
}
