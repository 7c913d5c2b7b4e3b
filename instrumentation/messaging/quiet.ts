import { type Context, createContextKey } from '@opentelemetry/api';
import { isTracingSuppressed, suppressTracing } from '@opentelemetry/core';
import { active, ROOT, storage } from '../context.ts';

/** In a quiet context: the one around it. */
const AROUND = createContextKey('o11y-kit: context around a quiet one');

/**
 * Runs what a library does for itself, such as polling its broker: no spans of database clients come of it. The app's own
 * code below it, listeners of events for one, is to be called by {@link aloud}.
 */
export function quietly<T>(around: Context, method: (...args: any[]) => T, self: unknown, args: ArrayLike<unknown>): T {
  return storage.run(suppressTracing(around).setValue(AROUND, around), Reflect.apply, method, self, args) as T;
}

/** The context in which the app's code is to run: the active one, or that around it where it is a quiet one. */
export function aloud(): Context {
  const context = active();
  const around = context.getValue(AROUND) as Context | undefined;
  if (around !== undefined) return around;
  return isTracingSuppressed(context) ? ROOT : context;
}
