/**
 * Durations of rules and of Alertmanager's configuration made shorter, and nothing else, so that what takes minutes in earnest can be
 * watched in seconds. Numbers that are no durations (thresholds, seconds that a metric is compared with) stay.
 */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `[5m]`, `[6h:1m]`, `offset 1d` in expressions; `for: 5m`, `interval: 1m`, `group_wait: 30s` and their kin as values. */
const PLACES =
  /(?<=\[|\[\d+[smhdw]:|\boffset |^ *(?:- )?(?:for|interval|keep_firing_for|group_wait|group_interval|repeat_interval): )(\d+)(ms|s|m|h|d|w)\b/gm;

/** @param divisor how many times shorter; nothing becomes shorter than a millisecond */
export function scaleDurations(yaml: string, divisor: number): string {
  return yaml.replace(PLACES, (_, count: string, unit: string) => {
    return `${Math.max(1, Math.round((Number(count) * UNIT_MS[unit]) / divisor))}ms`;
  });
}
