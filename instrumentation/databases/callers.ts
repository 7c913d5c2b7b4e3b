import { type Context, createContextKey } from '@opentelemetry/api';

/**
 * A call of a library that stands above a driver. It fails because a query of it has failed, and the transaction around it
 * because it has: one failure, told by several, which stands in `o11y_errors_total` once.
 */
export interface Caller {
  /** The transaction that it is part of. */
  readonly outer: Caller | undefined;
  /** {@link failures} of {@link outer} when it began. */
  readonly failuresBefore: number;
  /** Its own queries that failed, or had no connection, and were counted. */
  ownFailures: number;
  /** The same with those of the calls in it. */
  failures: number;
  /** The error that a call in it ended with last. */
  inner: unknown;
}

const CALLER = createContextKey('o11y-kit.database-caller');

/** A call that begins in a context. */
export function createCaller(context: Context): Caller {
  const outer = callerOf(context);
  return { outer, failuresBefore: outer?.failures ?? 0, ownFailures: 0, failures: 0, inner: undefined };
}

/** The context in which the queries of a call are made. */
export function callingFrom(context: Context, caller: Caller): Context {
  return context.setValue(CALLER, caller);
}

/** Tells the call that made a query that the failure of it has been counted. */
export function tellCaller(context: Context): void {
  const caller = callerOf(context);
  if (caller !== undefined) caller.ownFailures++;
  for (let at = caller; at !== undefined; at = at.outer) at.failures++;
}

/**
 * Whether what a call ended with has been counted already. Calls that are sent as one have their queries in the name of
 * one of them, so that failures since its start in the transaction around it count as its own.
 */
export function isCounted({ outer, failuresBefore, ownFailures, inner }: Caller, error: unknown): boolean {
  return ownFailures > 0 || inner === error || (outer !== undefined && outer.failures > failuresBefore);
}

function callerOf(context: Context): Caller | undefined {
  return context.getValue(CALLER) as Caller | undefined;
}
