/** The waterfall: a tree of fixed-height lines, of which only those in sight are elements. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { TraceView } from '../../api-types.ts';
import { duration } from '../format.ts';
import { isLog, type Line, type PlacedLog, ROW_HEIGHT, ticks } from '../waterfall-rows.ts';
import { LogLine, SpanLine } from './waterfall-line.tsx';

/** Lines drawn above and below what is in sight. */
const SPARE = 6;

export interface WaterfallProps {
  trace: TraceView;
  lines: readonly Line[];
  logs: readonly PlacedLog[];
  collapsed: ReadonlySet<string>;
  /** Row of the span that is looked at, -1 for none. */
  selected: number;
  /** Rows that were sought; null if nothing is. */
  hits: ReadonlySet<number> | null;
  /** Microseconds shown. */
  range: [number, number];
  onSelect(row: number): void;
  onToggle(row: number, collapse?: boolean): void;
}

export function Waterfall(props: WaterfallProps) {
  const { trace, lines, logs, collapsed, selected, hits, range } = props;
  const { rows } = trace;
  const box = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [height, setHeight] = useState(600);
  const active = selected < 0 ? -1 : lines.indexOf(selected);

  useEffect(() => {
    const element = box.current!;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (active >= 0) bringIntoSight(box.current!, active);
  }, [selected, active < 0]);

  const from = Math.max(0, first - SPARE);
  const window = Math.ceil(height / ROW_HEIGHT) + 2 * SPARE;
  const until = Math.min(lines.length, from + window);

  /** The nearest span line at or after `at`, in the direction of `step`. */
  function spanAt(at: number, step: 1 | -1): void {
    let place = Math.max(0, Math.min(lines.length - 1, at));
    while (place >= 0 && place < lines.length && isLog(lines[place])) place += step;
    if (place >= 0 && place < lines.length) props.onSelect(lines[place]);
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(height / ROW_HEIGHT) - 2);
    const expandable = selected >= 0 && rows.below[selected] > 0;
    const shut = selected >= 0 && collapsed.has(rows.id[selected]);
    const moves: Record<string, () => void> = {
      ArrowDown: () => spanAt(active + 1, 1),
      ArrowUp: () => spanAt(active - 1, -1),
      PageDown: () => spanAt(active + page, -1),
      PageUp: () => spanAt(active - page, 1),
      Home: () => spanAt(0, 1),
      End: () => spanAt(lines.length - 1, -1),
      ArrowRight: () => (expandable && shut ? props.onToggle(selected, false) : spanAt(active + 1, 1)),
      ArrowLeft: () =>
        expandable && !shut
          ? props.onToggle(selected, true)
          : selected >= 0 && rows.parent[selected] >= 0 && props.onSelect(rows.parent[selected]),
      ' ': () => expandable && props.onToggle(selected),
      Enter: () => document.querySelector<HTMLElement>('.span-panel')?.focus(),
      j: () => spanAt(active + 1, 1),
      k: () => spanAt(active - 1, -1),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  }

  return (
    <div class="waterfall">
      <div class="wf-head" aria-hidden="true">
        <span>Span</span>
        <Axis range={range} />
        <span class="wf-took">Duration</span>
      </div>
      <div
        ref={box}
        class="wf-box"
        role="tree"
        tabIndex={0}
        aria-label={`Spans of the trace: ${rows.id.length}. Arrow keys move, left and right close and open.`}
        aria-activedescendant={active >= from && active < until ? `line-${active}` : undefined}
        onScroll={(event) => setFirst(Math.floor(event.currentTarget.scrollTop / ROW_HEIGHT))}
        onKeyDown={onKeyDown}
      >
        <div class="wf-all" role="presentation" style={{ height: `${lines.length * ROW_HEIGHT}px` }}>
          {Array.from({ length: Math.max(0, until - from) }, (_, n) => {
            const place = from + n;
            const line = lines[place];
            // By place in the window, not by span: scrolling fills elements that are there instead of making new ones.
            const slot = place % window;
            return isLog(line) ? (
              <LogLine key={slot} place={place} of={logs[~line]} rows={rows} range={range} onSelect={props.onSelect} />
            ) : (
              <SpanLine
                key={slot}
                place={place}
                row={line}
                trace={trace}
                range={range}
                selected={line === selected}
                collapsed={collapsed.has(rows.id[line])}
                dim={hits !== null && !hits.has(line)}
                onSelect={() => {
                  props.onSelect(line === selected ? -1 : line);
                  box.current!.focus({ preventScroll: true });
                }}
                onToggle={() => props.onToggle(line)}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Axis({ range: [from, until] }: { range: [number, number] }) {
  return (
    <span class="axis">
      {ticks(from, until, 5).map((at) => (
        <i key={at} style={{ left: `${((at - from) / (until - from)) * 100}%` }}>
          {duration(at / 1000)}
        </i>
      ))}
    </span>
  );
}

function bringIntoSight(box: HTMLElement, place: number): void {
  const top = place * ROW_HEIGHT;
  if (top < box.scrollTop || top + ROW_HEIGHT > box.scrollTop + box.clientHeight) {
    // Far away: to the middle, so that what surrounds it is seen; near: no jump.
    const near = Math.abs(top - box.scrollTop) < box.clientHeight + 3 * ROW_HEIGHT;
    if (!near) box.scrollTop = top - box.clientHeight / 2;
    else box.scrollTop = top < box.scrollTop ? top : top + ROW_HEIGHT - box.clientHeight;
  }
}
