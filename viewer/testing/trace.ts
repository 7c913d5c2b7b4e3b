import type { Span } from '../model.ts';

/** Every span that arrived of one trace. */
export interface Trace {
  traceId: string;
  /** In the order of their start. */
  spans: Span[];
  /** The span without a parent; undefined where it has not arrived. */
  root: Span | undefined;
  /** Names of the services that took part, in the order in which they started. */
  services: string[];
  /** The spans whose parent is `span`. */
  children(span: Span): Span[];
  /** The trace as indented text, for error messages and comments. */
  toString(): string;
}

/** OTLP span flags: whether the parent is remote is known, and whether it is. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

export function makeTrace(traceId: string, unordered: readonly Span[]): Trace {
  const spans = unordered.toSorted((a, b) => Number(a.startNs - b.startNs));
  return {
    traceId,
    spans,
    root: spans.find((span) => span.parentSpanId === ''),
    services: [...new Set(spans.map((span) => span.service))],
    children: (parent) => spans.filter((span) => span.parentSpanId === parent.spanId),
    toString: () => drawTrace(spans),
  };
}

/**
 * Whether no span waits for its parent: every parent has arrived, or is in a process that need not export. Children
 * end, and are exported, before their parents, so that a trace is seldom complete at its first span.
 */
export function isComplete({ spans }: Trace): boolean {
  const ids = new Set(spans.map((span) => span.spanId));
  return spans.length > 0 && spans.every((span) => ids.has(span.parentSpanId) || isEntry(span));
}

function isEntry(span: Span): boolean {
  if (span.parentSpanId === '') return true;
  if (span.flags & HAS_IS_REMOTE) return (span.flags & IS_REMOTE) !== 0;
  return span.kind === 'server' || span.kind === 'consumer';
}

/**
 * Spans as an indented tree, a line each: name, service, kind, duration, error.
 *
 * ```
 * POST /orders  checkout server 12.3ms
 *   SELECT orders  checkout client 2.1ms
 * ```
 */
export function drawTrace(spans: readonly Span[]): string {
  const ids = new Set(spans.map((span) => span.spanId));
  const byParent = new Map<string, Span[]>();
  for (const span of spans) {
    const key = ids.has(span.parentSpanId) ? span.parentSpanId : '';
    const siblings = byParent.get(key);
    if (siblings) siblings.push(span);
    else byParent.set(key, [span]);
  }
  const lines: string[] = [];
  const drawn = new Set<Span>();
  const draw = (from: readonly Span[], depth: number): void => {
    const stack = from.toReversed().map((span) => ({ span, depth }));
    while (stack.length > 0) {
      const { span, depth } = stack.pop()!;
      if (drawn.has(span)) continue;
      drawn.add(span);
      lines.push('  '.repeat(depth) + line(span, depth === 0 && span.parentSpanId !== ''));
      for (const child of (byParent.get(span.spanId) ?? []).toReversed()) stack.push({ span: child, depth: depth + 1 });
    }
  };
  draw(byParent.get('') ?? [], 0);
  // Spans that are each other's ancestors have no root to start from.
  for (const span of spans) draw([span], 0);
  return lines.join('\n');
}

function line(span: Span, orphan: boolean): string {
  const error = span.status.code === 'error' ? ` ERROR ${span.status.message}`.trimEnd() : '';
  const missing = orphan ? ` (parent ${span.parentSpanId} not here)` : '';
  return `${span.name}  ${span.service} ${span.kind} ${round(span.durationMs)}ms${error}${missing}`;
}

function round(ms: number): number {
  return Number(ms.toPrecision(3));
}
