/** One line of the waterfall. */
import { MARK, type TraceRows, type TraceView } from '../../api-types.ts';
import { colour } from '../colours.ts';
import { clock, duration, plural } from '../format.ts';
import { plain } from '../text.ts';
import { Ansi } from '../ui/basic.tsx';
import { type PlacedLog, ROW_HEIGHT } from '../waterfall-rows.ts';

const INDENT = 14;
/** What the sign for open or closed takes, with the gap after it. */
const FOLD = 20;
/** Deeper levels keep this indentation, or a name would have no room. */
const DEEPEST = 18;
/** What of a log line fits into a row; the whole stands in the panel. */
const MOST_TEXT = 300;
const KINDS = ['', '', 'server', 'client', 'producer', 'consumer'];

interface SpanLineProps {
  place: number;
  row: number;
  trace: TraceView;
  range: [number, number];
  selected: boolean;
  collapsed: boolean;
  dim: boolean;
  onSelect(): void;
  onToggle(): void;
}

export function SpanLine({ place, row, trace, range, selected, collapsed, dim, onSelect, onToggle }: SpanLineProps) {
  const { rows, names, services } = trace;
  const mark = rows.mark[row];
  const missing = (mark & MARK.missing) !== 0;
  const failed = (mark & MARK.error) !== 0;
  const below = rows.below[row];
  const service = services[rows.service[row]] ?? '';
  const name = missing ? 'missing parent' : plain(names[rows.name[row]] ?? '');
  const took = missing ? '' : duration(rows.durationUs[row] / 1000);
  const notes = notesOf(rows, row);
  const spoken = [KINDS[rows.kind[row]], failed && 'failed'].filter(Boolean).join(' ');
  const classes = ['wf-line', selected && 'selected', dim && 'dim', failed && 'error', missing && 'missing']
    .filter(Boolean)
    .join(' ');
  return (
    // The tree that holds the line has the keyboard.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      id={`line-${place}`}
      class={classes}
      role="treeitem"
      tabIndex={-1}
      aria-level={rows.depth[row] + 1}
      aria-selected={selected}
      aria-expanded={below > 0 ? !collapsed : undefined}
      style={{ top: `${place * ROW_HEIGHT}px` }}
      onClick={onSelect}
    >
      <span class="wf-name" style={{ paddingLeft: `${indent(rows.depth[row]) + (below > 0 ? 0 : FOLD)}px` }}>
        {below > 0 ? (
          <i
            class="fold"
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              onToggle();
            }}
          >
            {collapsed ? '▸' : '▾'}
          </i>
        ) : null}
        {!missing && <i class="swatch" style={{ background: colour(service) }} />}
        {failed && (
          <i class="sign bad" aria-hidden="true">
            ✕
          </i>
        )}
        <bdi class="what" title={missing ? 'A span that others name as their parent has not arrived' : name}>
          {name}
        </bdi>
        {collapsed && <small class="tag">{plural(below, 'span')}</small>}
        {notes.map(({ sign, says }) => (
          <small key={sign} class="tag" title={says}>
            {sign}
            <span class="hidden">: {says}</span>
          </small>
        ))}{' '}
        <bdi class="of">{plain(service)}</bdi>
        {spoken !== '' && <span class="hidden">{spoken}</span>}
      </span>
      <Bar rows={rows} row={row} range={range} service={service} />
      <span class="wf-took">{took}</span>
    </div>
  );
}

function Bar({
  rows,
  row,
  range: [from, until],
  service,
}: {
  rows: TraceRows;
  row: number;
  range: [number, number];
  service: string;
}) {
  const scale = 100 / (until - from);
  const left = Math.max(0, (rows.startUs[row] - from) * scale);
  const right = Math.min(100, (rows.startUs[row] + rows.durationUs[row] - from) * scale);
  if (right < 0 || left > 100) return <span class="wf-bar" />;
  return (
    <span class="wf-bar">
      <i class="bar" style={{ left: `${left}%`, width: `${Math.max(0, right - left)}%`, '--bar': colour(service) }} />
    </span>
  );
}

export function LogLine({
  place,
  of,
  rows,
  range: [from, until],
  onSelect,
}: {
  place: number;
  of: PlacedLog;
  rows: TraceRows;
  range: [number, number];
  onSelect(row: number): void;
}) {
  const body = of.log.body.slice(0, MOST_TEXT);
  const depth = of.row < 0 ? 0 : rows.depth[of.row] + 1;
  const at = ((of.atUs - from) / (until - from)) * 100;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree that holds the line has the keyboard
    <div
      id={`line-${place}`}
      class={`wf-line log level-${of.log.level}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-selected={false}
      style={{ top: `${place * ROW_HEIGHT}px` }}
      onClick={() => of.row >= 0 && onSelect(of.row)}
    >
      <span class="wf-name" style={{ paddingLeft: `${indent(depth) + INDENT}px` }}>
        <span class="hidden">log </span>
        <span class="level">{of.log.level}</span>{' '}
        <span class="body" title={plain(body)}>
          <Ansi text={body} />
        </span>
      </span>
      <span class="wf-bar">
        {at >= 0 && <i class="tick" style={{ left: `${Math.min(100, at)}%` }} title={clock(of.log.at)} />}
      </span>
      <span class="wf-took">+{duration(of.atUs / 1000)}</span>
    </div>
  );
}

function indent(depth: number): number {
  return 6 + Math.min(depth, DEEPEST) * INDENT;
}

interface Note {
  sign: string;
  says: string;
}

/** Clocks of one machine differ by less than this; so does the moment at which two sides call a request ended. */
const CLOCK_TOLERANCE_US = 1000;

function notesOf(rows: TraceRows, row: number): Note[] {
  const mark = rows.mark[row];
  const notes: Note[] = [];
  if (mark & MARK.outside) notes.push(...outside(rows, row));
  if (mark & MARK.duplicate) notes.push({ sign: 'same id', says: 'another span of the trace has the same id' });
  if (mark & MARK.cycle) notes.push({ sign: 'circle', says: 'names itself as its own ancestor; the circle was cut here' });
  if (mark & MARK.links) notes.push({ sign: '⤳ link', says: 'links to other spans' });
  if (rows.events[row] > 0) notes.push({ sign: `◆ ${rows.events[row]}`, says: plural(rows.events[row], 'event') });
  return notes;
}

/** A child before its parent can only be a clock; one that ends later may simply go on working. */
function outside(rows: TraceRows, row: number): Note[] {
  const parent = rows.parent[row];
  if (parent < 0) return [];
  const early = rows.startUs[parent] - rows.startUs[row];
  const late = rows.startUs[row] + rows.durationUs[row] - rows.startUs[parent] - rows.durationUs[parent];
  if (early > CLOCK_TOLERANCE_US) {
    return [{ sign: '⇄ clock', says: `starts ${duration(early / 1000)} before its parent: the clocks of two machines differ` }];
  }
  if (late > CLOCK_TOLERANCE_US) {
    return [
      {
        sign: '→ outlives',
        says: `ends ${duration(late / 1000)} after its parent: clocks differ, or work goes on after the answer`,
      },
    ];
  }
  return [];
}
