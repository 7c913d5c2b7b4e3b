/** A point in time: whole seconds since the epoch, and nanoseconds. */
export type HrTime = [seconds: number, nanoseconds: number];

const RESYNC_MS = 1000;

let offset = Date.now() - performance.now();
let syncedAt = performance.now();

/**
 * Turns a `performance.now()` reading into wall-clock time. The offset between the two clocks is read anew once a second,
 * so that a process that was suspended, or whose clock was set, does not date its spans wrongly for ever.
 */
export function wallTime(reading: number): HrTime {
  // A reading is of just now or of earlier; only a late one is worth a look at the clocks.
  if (reading - syncedAt > RESYNC_MS) {
    const now = performance.now();
    const fresh = Date.now() - now;
    // Date.now() has whole milliseconds only: following its jitter would make durations of nested spans disagree.
    if (Math.abs(fresh - offset) > 1.5) offset = fresh;
    syncedAt = now;
  }
  const ms = reading + offset;
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
