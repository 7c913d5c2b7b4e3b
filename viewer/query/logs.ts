import type { LogList, LogQuery } from '../api-types.ts';
import { type LogLine, type LogStore, logRow, severityOf } from '../store/log-store.ts';
import type { TraceStore } from '../store/trace-store.ts';
import { attributeTest, bounded, Deadline, list, wordsTest } from './matching.ts';

const SEARCH_MS = 60;

/** Log lines that pass the query, the newest first. */
export function listLogs(logs: LogStore, traces: TraceStore, query: LogQuery): LogList {
  const limit = bounded(query.limit, 100, 1000);
  const test = lineTest(query);
  const deadline = new Deadline(SEARCH_MS);
  const found: LogList = { logs: [], next: null, newest: String(logs.last), incomplete: false };
  for (const line of candidates(logs, query)) {
    if (test(line)) found.logs.push(logRow(line, traces.get(line.traceId) !== undefined));
    const full = found.logs.length >= limit;
    if (full || deadline.passed()) {
      found.next = String(line.seq);
      found.incomplete = !full;
      break;
    }
  }
  return found;
}

function* candidates(logs: LogStore, { trace, before, after }: LogQuery): Generator<LogLine> {
  const below = cursor(before, Number.POSITIVE_INFINITY);
  const above = cursor(after, 0);
  if (!trace) {
    yield* logs.newest(below, above);
    return;
  }
  const lines = logs.ofTrace(trace.toLowerCase());
  for (let i = lines.length - 1; i >= 0; i--) if (lines[i].seq < below && lines[i].seq > above) yield lines[i];
}

function cursor(text: string | undefined, fallback: number): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : fallback;
}

function lineTest(query: LogQuery): (line: LogLine) => boolean {
  const tests: ((line: LogLine) => boolean)[] = [];
  const { service, level, span, correlation, text } = query;
  if (service) tests.push((line) => line.service === service);
  if (level) {
    const lowest = severityOf(level);
    // Without a severity a line counts as info, as it is shown.
    tests.push((line) => (line.severity || severityOf('info')) >= lowest);
  }
  if (span) tests.push((line) => line.spanId === span.toLowerCase());
  if (correlation) tests.push((line) => line.correlationId === correlation);
  for (const filter of list(query.field)) {
    const test = attributeTest(filter);
    tests.push((line) => test(line.attributes));
  }
  if (text) {
    const words = wordsTest(text);
    tests.push((line) => words([line.body], [line.attributes]));
  }
  return (line) => tests.every((test) => test(line));
}
