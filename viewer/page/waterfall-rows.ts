/** Which lines a waterfall shows, and in which order. No DOM here. */
import { type LogRow, MARK, type TraceRows } from '../api-types.ts';

/** Height of a row in pixels, as in the style sheet. */
export const ROW_HEIGHT = 22;

/** A line: the row of a span, or the complement (`~`) of a place among the logs. */
export type Line = number;

export interface PlacedLog {
  log: LogRow;
  /** Microseconds after the trace's start. */
  atUs: number;
  /** Row of its span; -1 where the span is not in the trace. */
  row: number;
}

export function isLog(line: Line): boolean {
  return line < 0;
}

/** Puts every log record to its span, by time. */
export function placeLogs(rows: TraceRows, startNs: string, logs: readonly LogRow[]): PlacedLog[] {
  const rowOf = new Map<string, number>();
  for (let row = rows.id.length - 1; row >= 0; row--) if (!(rows.mark[row] & MARK.missing)) rowOf.set(rows.id[row], row);
  const start = BigInt(startNs);
  return logs
    .map((log) => ({ log, atUs: Number(BigInt(log.timeNs) - start) / 1000, row: rowOf.get(log.spanId) ?? -1 }))
    .sort((a, b) => a.atUs - b.atUs);
}

/**
 * The lines to show. What lies below a collapsed span is left out; a log stands below its span, between the children that
 * began before and after it; logs without a span come last. One pass, whatever the size.
 */
export function linesOf(rows: TraceRows, collapsed: ReadonlySet<string>, logs: readonly PlacedLog[]): Line[] {
  const lines: Line[] = [];
  const ofRow = new Map<number, number[]>();
  logs.forEach(({ row }, place) => {
    const known = ofRow.get(row);
    if (known) known.push(place);
    else ofRow.set(row, [place]);
  });
  const open: { row: number; end: number; logs: number[]; next: number }[] = [];
  const close = (before: number) => {
    while (open.length > 0 && open[open.length - 1].end < before) {
      const top = open.pop()!;
      while (top.next < top.logs.length) lines.push(~top.logs[top.next++]);
    }
  };
  for (let row = 0; row < rows.id.length; row++) {
    close(row);
    const top = open[open.length - 1];
    while (top && top.next < top.logs.length && logs[top.logs[top.next]].atUs < rows.startUs[row])
      lines.push(~top.logs[top.next++]);
    lines.push(row);
    if (collapsed.has(rows.id[row])) row += rows.below[row];
    else if (rows.below[row] > 0 || ofRow.has(row)) {
      open.push({ row, end: row + rows.below[row], logs: ofRow.get(row) ?? [], next: 0 });
    }
  }
  close(Number.POSITIVE_INFINITY);
  for (const place of ofRow.get(-1) ?? []) lines.push(~place);
  return lines;
}

/** Rows whose name or service holds the words; null where nothing is sought. */
export function found(
  rows: TraceRows,
  names: readonly string[],
  services: readonly string[],
  wanted: string,
): Set<number> | null {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  const texts = new Map<number, boolean>();
  const result = new Set<number>();
  for (let row = 0; row < rows.id.length; row++) {
    const key = rows.name[row] * services.length + rows.service[row];
    let match = texts.get(key);
    if (match === undefined) {
      const text = `${services[rows.service[row]] ?? ''} ${names[rows.name[row]] ?? ''}`.toLowerCase();
      texts.set(key, (match = words.every((word) => text.includes(word))));
    }
    if (match || words.every((word) => rows.id[row].startsWith(word))) result.add(row);
  }
  return result;
}

/** The next row that `test` accepts, going round; -1 if there is none. */
export function nextRow(count: number, from: number, step: 1 | -1, test: (row: number) => boolean): number {
  for (let n = 1; n <= count; n++) {
    const row = (((from + step * n) % count) + count) % count;
    if (test(row)) return row;
  }
  return -1;
}

/** Ids of the spans above a row, so that they can be opened to show it. */
export function ancestors(rows: TraceRows, row: number): string[] {
  const ids: string[] = [];
  for (let at = rows.parent[row], n = 0; at >= 0 && n < rows.id.length; at = rows.parent[at], n++) ids.push(rows.id[at]);
  return ids;
}

/** Round times for an axis of about `wanted` steps, in microseconds. */
export function ticks(from: number, until: number, wanted: number): number[] {
  const rough = (until - from) / Math.max(1, wanted);
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough)!;
  const result: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= until && result.length < 50; at += step) result.push(at);
  return result;
}
