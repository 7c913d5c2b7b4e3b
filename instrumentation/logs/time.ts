let second = Number.NaN;
let prefix = '';

/** ISO 8601 in UTC with milliseconds. The part down to the second is kept: lines come many a second. */
export function isoTime(ms: number): string {
  const whole = Math.floor(ms / 1000);
  if (whole !== second) {
    second = whole;
    prefix = new Date(whole * 1000).toISOString().slice(0, 20);
  }
  return `${prefix}${String(ms - whole * 1000).padStart(3, '0')}Z`;
}
