/** Result of a check as `application/health+json` spells it. */
export type Status = 'pass' | 'warn' | 'fail';

export type ComponentType = 'component' | 'datastore' | 'system';

/** What a check may return to say more than pass and fail; known by its `status`. */
export interface Outcome {
  readonly status: Status;
  readonly output?: string;
  readonly observedValue?: string | number | boolean;
  readonly observedUnit?: string;
}

/**
 * A check. It fails by throwing, rejecting or returning `false`, and passes by returning anything else, or a promise of it:
 * `() => pool.query('select 1')` is one. An {@link Outcome} says more. The signal is aborted when the time is over.
 */
export type Check = (signal: AbortSignal) => unknown;

export interface CheckOptions {
  /** Whether the process is not ready while this check fails. Default true. */
  readonly required?: boolean;
  /** Milliseconds after which a run counts as failed. Default 2000. */
  readonly timeout?: number;
  /** Milliseconds from the start of one run to the start of the next. Default 10000, at least 100. */
  readonly interval?: number;
  /** Default `component`. */
  readonly componentType?: ComponentType;
}

/** The last finished run of a check. */
export interface CheckResult extends Outcome {
  readonly durationMs: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** A check of the kit itself: one file each in checks/. */
export interface BuiltIn extends CheckOptions {
  readonly name: string;
  readonly check: Check;
}
