import { type LogRow, MARK, type TraceView } from '../api-types.ts';
import { duration, pad, type Style, safe } from './text.ts';

const BAR = 30;
const NAME = 50;

/**
 * A trace as a tree with a waterfall, its log lines in place:
 *
 * ```
 * POST /checkout               shop      |==============================|    31.2 ms
 * └ POST payments:8080         shop      |   =========================  |    25.0 ms
 *     card declined
 * ```
 *
 * @param maxRows spans that are printed at most; the rest is counted
 */
export function traceTree(view: TraceView, logs: readonly LogRow[], style: Style, maxRows = 500): string {
  const { summary, rows, names, services } = view;
  const bySpan = new Map<string, LogRow[]>();
  for (const log of logs.toReversed()) {
    const known = bySpan.get(log.spanId);
    if (known) known.push(log);
    else bySpan.set(log.spanId, [log]);
  }
  const errors = summary.errors > 0 ? style.red(`, ${count(summary.errors, 'error')}`) : '';
  const out = [
    style.bold(`trace ${summary.traceId}`),
    `${new Date(summary.startedAt).toISOString()}  ${duration(summary.durationMs)}  ${count(summary.spans, 'span')}${errors}`,
  ];
  if (summary.correlationId !== '') out.push(`correlation id ${safe(summary.correlationId)}`);
  out.push('');
  const width = Math.max(0, ...services.map((name) => name.length));
  const shown = Math.min(rows.id.length, maxRows);
  for (let row = 0; row < shown; row++) {
    const mark = rows.mark[row];
    const indent = rows.depth[row] === 0 ? '' : `${'  '.repeat(Math.min(rows.depth[row], 20) - 1)}└ `;
    const name = mark & MARK.missing ? `(span ${rows.id[row]} has not arrived)` : safe(names[rows.name[row]]);
    const paint = mark & MARK.error ? style.red : mark & MARK.missing ? style.dim : (text: string) => text;
    const bar = barOf(rows.startUs[row], rows.durationUs[row], summary.durationMs * 1000);
    const service = style.cyan(pad(safe(services[rows.service[row]]), Math.min(width, 24)));
    const took = duration(rows.durationUs[row] / 1000).padStart(11);
    out.push(`${paint(pad(indent + name, NAME))} ${service} |${bar}|${took}${notes(mark, style)}`);
    // A span's lines once, where spans share its id.
    for (const log of bySpan.get(rows.id[row]) ?? []) out.push(logLine(log, rows.depth[row], style));
    bySpan.delete(rows.id[row]);
  }
  if (shown < rows.id.length) out.push(style.dim(`… and ${count(rows.id.length - shown, 'span')} more`));
  for (const rest of bySpan.values()) for (const log of rest) out.push(logLine(log, 0, style));
  return out.join('\n');
}

function barOf(startUs: number, durationUs: number, totalUs: number): string {
  if (!(totalUs > 0)) return '='.padEnd(BAR);
  const from = clamp(Math.floor((startUs / totalUs) * BAR), 0, BAR - 1);
  const to = clamp(Math.ceil(((startUs + durationUs) / totalUs) * BAR), from + 1, BAR);
  return `${' '.repeat(from)}${'='.repeat(to - from)}`.padEnd(BAR);
}

function notes(mark: number, style: Style): string {
  const words: string[] = [];
  if (mark & MARK.error) words.push('error');
  if (mark & MARK.outside) words.push('outside its parent');
  if (mark & MARK.duplicate) words.push('id occurs twice');
  if (mark & MARK.cycle) words.push('its own ancestor');
  if (words.length === 0) return '';
  return `  ${mark & MARK.error ? style.red(words.join(', ')) : style.yellow(words.join(', '))}`;
}

function logLine(log: LogRow, depth: number, style: Style): string {
  const paint = log.level === 'error' || log.level === 'fatal' ? style.red : log.level === 'warn' ? style.yellow : style.dim;
  const body = log.body.replace(/\u001b\[[0-9;]*m/g, '');
  return `${'  '.repeat(Math.min(depth, 20))}  ${paint(`${log.level}: ${safe(body.slice(0, 500))}`)}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function clamp(n: number, low: number, high: number): number {
  return Math.max(low, Math.min(n, high));
}
