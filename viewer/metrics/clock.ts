/** Metrics are kept in slots of this many milliseconds … */
export const STEP_MS = 5000;
/** … for half an hour. */
export const SLOTS = 360;

export function slotOf(ms: number): number {
  return Math.floor(ms / STEP_MS);
}

/** The slots that a view of the last minutes shows; the last is the one that still fills. */
export interface Range {
  first: number;
  count: number;
}

export function lastMinutes(minutes: number, now: number): Range {
  const count = Math.max(1, Math.min(Math.round((minutes * 60_000) / STEP_MS), SLOTS));
  return { first: slotOf(now) - count + 1, count };
}

/** A slot of which less is known than this share says nothing about a rate. */
const ENOUGH = 0.2;

/**
 * Seconds of a slot that are known: a rate is by these, else the slot that still fills would look like a dip. NaN where
 * they are too few.
 *
 * @param until milliseconds up to which anything is known
 */
export function knownSeconds(slot: number, until: number): number {
  const ms = Math.min(STEP_MS, until - slot * STEP_MS);
  return ms < STEP_MS * ENOUGH ? Number.NaN : ms / 1000;
}

/**
 * A value that grew between two looks at it is spread over the slots between them, by their share of the time: else
 * looks at an uneven pace draw spikes and gaps.
 *
 * @param to called with each slot and its share of 1
 */
export function spread(fromMs: number, toMs: number, to: (slot: number, share: number) => void): void {
  const last = slotOf(toMs);
  const first = Math.max(slotOf(fromMs), last - SLOTS + 1);
  const span = toMs - fromMs;
  if (first === last || span <= 0) {
    to(last, 1);
    return;
  }
  for (let slot = first; slot <= last; slot++) {
    const share = (Math.min(toMs, (slot + 1) * STEP_MS) - Math.max(fromMs, slot * STEP_MS)) / span;
    if (share > 0) to(slot, share);
  }
}
