/** Numbers and times as a reader wants them: three significant digits, one unit, a space before it. */

/** Stands where nothing is known. */
export const NOTHING = '–';

const UNITS: [limit: number, divisor: number, unit: string][] = [
  [1e-3, 1e-6, 'ns'],
  [1, 1e-3, 'µs'],
  [1e3, 1, 'ms'],
  [60e3, 1e3, 's'],
  [3_600e3, 60e3, 'min'],
  [Number.POSITIVE_INFINITY, 3_600e3, 'h'],
];

/** Milliseconds, `340 µs`, `12.3 ms`, `1.24 s`. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NOTHING;
  if (ms === 0) return '0 ms';
  const size = Math.abs(ms);
  // 999.7 ms would round to "1000 ms": the unit is chosen by what will be shown.
  const [, divisor, unit] = UNITS.find(([limit, divisor]) => Number((size / divisor).toPrecision(3)) * divisor < limit)!;
  return `${significant(ms / divisor)} ${unit}`;
}

/** A count or a rate, `0.25`, `12.3`, `4,210`, `1.2 M`. */
export function quantity(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  if (size >= 1e9) return `${significant(value / 1e9)} G`;
  if (size >= 1e6) return `${significant(value / 1e6)} M`;
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return significant(value);
}

/** A whole number with separators. */
export function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** 0 to 1 as `2.1 %`. */
export function percent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return NOTHING;
  if (ratio > 0 && ratio < 0.001) return '< 0.1 %';
  if (ratio < 1 && ratio > 0.999) return '> 99.9 %';
  return `${significant(ratio * 100)} %`;
}

/** `12.3 MB`, in powers of 1,000. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${significant(size)} ${units[unit]}`;
}

/** `14:03:27.184` of the reader's own clock. */
export function clock(at: number, fraction = true): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return NOTHING;
  const two = (value: number) => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return fraction ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time;
}

/** Day and time, for titles. */
export function dayAndTime(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return NOTHING;
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(at)}`;
}

/** `just now`, `12 s ago`, `3 min ago`. */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** `1 span`, `2 spans`. */
export function plural(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Seconds a process has been up, `3 h 12 min`. */
export function uptime(seconds: number | null): string {
  if (seconds === null) return NOTHING;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

function significant(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 100) return String(Math.round(value));
  return String(Number(value.toFixed(size >= 10 ? 1 : size >= 0.995 ? 2 : 3)));
}
