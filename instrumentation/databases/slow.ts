import { trace } from '@opentelemetry/api';
import { storage } from '../context.ts';
import type { Kit } from '../kit.ts';
import type { Call } from '../traces/call-tracer.ts';
import type { CallKind, Place } from './calls.ts';

/** When a database is slow, every call is: a few lines a second say it as well as thousands. */
const MOST_LINES = 20;
const WINDOW_MS = 10_000;

/** One warning for each call that took `O11Y_SLOW_QUERY_MS` or longer, at most 20 in ten seconds; the next line says how many were left out. */
export function slowCalls({ config, logs }: Pick<Kit, 'config' | 'logs'>): (call: Call, place: Place, kind: CallKind) => void {
  const limitMs = config.slowQueryMs;
  let windowStart = 0;
  let written = 0;
  let leftOut = 0;

  return ({ attributes, context, span, startedAt, endedAt }, { system, namespace }, { statement, settled }) => {
    const durationMs = endedAt - startedAt;
    if (limitMs === 0 || durationMs < limitMs) return;
    if (endedAt - windowStart >= WINDOW_MS) {
      windowStart = endedAt;
      written = 0;
    }
    if (written >= MOST_LINES) {
      leftOut++;
      return;
    }
    written++;
    const { operation, collection, shape } = statement;
    const text = settled.has('db.query.text') ? shape : attributes['db.query.text'];
    const fields = {
      component: 'database',
      operation: [operation, collection].filter(Boolean).join(' '),
      duration_ms: Math.round(durationMs * 1000) / 1000,
      'db.system.name': system,
      'db.namespace': namespace || undefined,
      'db.operation.name': operation,
      'db.collection.name': collection || undefined,
      'db.query.text': text || undefined,
      left_out: leftOut || undefined,
    };
    leftOut = 0;
    const line = () =>
      logs.logger.warn(fields, `slow query: ${operation} ${collection || namespace || system} took ${Math.round(durationMs)} ms`);
    // The line belongs to the query's own span, not only to its request.
    storage.run(span === undefined ? context : trace.setSpan(context, span), line);
  };
}
