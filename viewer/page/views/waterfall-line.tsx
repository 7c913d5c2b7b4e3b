/** One line of the waterfall. */
import { MARK, type TraceRows, type TraceView } from '../../api-types.ts';
import { colour } from '../colours.ts';
import { clock, duration, plural } from '../format.ts';
import { plain } from '../text.ts';
import { Ansi } from '../ui/basic.tsx';
import type { PlacedLog } from '../waterfall-rows.ts';
import { ROW_HEIGHT } from './waterfall.tsx';

const INDENT = 14;
/** Deeper levels keep this indentation, or a name would have no room. */
const DEEPEST = 18;
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
  const notes = notesOf(mark);
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
      aria-label={[name, plain(service), KINDS[rows.kind[row]], took, failed && 'error', ...notes.map(({ says }) => says)]
        .filter(Boolean)
        .join(', ')}
      style={{ transform: `translateY(${place * ROW_HEIGHT}px)` }}
      onClick={onSelect}
    >
      <span class="wf-name" style={{ paddingLeft: `${indent(rows.depth[row])}px` }}>
        {below > 0 ? (
          // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the pointer; the tree has the keys
          // biome-ignore lint/a11y/useKeyWithClickEvents: as above
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
        ) : (
          <i class="fold" />
        )}
        {!missing && <i class="swatch" style={{ background: colour(service) }} />}
        {failed && <i class="sign bad">✕</i>}
        <bdi class="what" title={missing ? 'A span that others name as their parent has not arrived' : name}>
          {name}
        </bdi>
        {collapsed && <small class="tag">{plural(below, 'span')}</small>}
        {notes.map(({ sign, says }) => (
          <small key={sign} class="tag" title={says}>
            {sign}
          </small>
        ))}
        <bdi class="of">{plain(service)}</bdi>
      </span>
      <Bar rows={rows} row={row} range={range} service={service} label={took} />
    </div>
  );
}

function Bar({
  rows,
  row,
  range: [from, until],
  service,
  label,
}: {
  rows: TraceRows;
  row: number;
  range: [number, number];
  service: string;
  label: string;
}) {
  const scale = 100 / (until - from);
  const left = (rows.startUs[row] - from) * scale;
  const right = (rows.startUs[row] + rows.durationUs[row] - from) * scale;
  if (right < 0 || left > 100) return <span class="wf-bar" />;
  const shownLeft = Math.max(0, left);
  const shownRight = Math.min(100, right);
  const marks = [rows.events[row] > 0 && `◆ ${rows.events[row]}`, rows.logs[row] > 0 && `≡ ${rows.logs[row]}`]
    .filter(Boolean)
    .join(' ');
  // The label stands where there is room: behind the bar, else before it.
  const side =
    shownRight <= 70 ? { left: `${shownRight}%` } : shownLeft >= 30 ? { right: `${100 - shownLeft}%` } : { right: '4px' };
  return (
    <span class="wf-bar">
      <i
        class="bar"
        style={{ left: `${shownLeft}%`, width: `${Math.max(0, shownRight - shownLeft)}%`, background: colour(service) }}
      />
      <span class={side.right === '4px' ? 'label within' : 'label'} style={side}>
        {label} {marks && <small>{marks}</small>}
      </span>
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
      aria-label={`log ${of.log.level}: ${plain(of.log.body)}`}
      style={{ transform: `translateY(${place * ROW_HEIGHT}px)` }}
      onClick={() => of.row >= 0 && onSelect(of.row)}
    >
      <span class="wf-name" style={{ paddingLeft: `${indent(depth) + INDENT}px` }}>
        <span class="level">{of.log.level}</span>
        <span class="body" title={plain(of.log.body)}>
          <Ansi text={of.log.body} />
        </span>
      </span>
      <span class="wf-bar">{at >= 0 && at <= 100 && <i class="tick" style={{ left: `${at}%` }} title={clock(of.log.at)} />}</span>
    </div>
  );
}

function indent(depth: number): number {
  return 6 + Math.min(depth, DEEPEST) * INDENT;
}

function notesOf(mark: number): { sign: string; says: string }[] {
  const notes: { sign: string; says: string }[] = [];
  if (mark & MARK.outside)
    notes.push({
      sign: '⇄ clock',
      says: 'starts before or ends after its parent: clocks differ, or work goes on after the answer',
    });
  if (mark & MARK.duplicate) notes.push({ sign: 'same id', says: 'another span of the trace has the same id' });
  if (mark & MARK.cycle) notes.push({ sign: 'circle', says: 'names itself as its own ancestor; the circle was cut here' });
  if (mark & MARK.links) notes.push({ sign: '⤳', says: 'links to other spans' });
  return notes;
}
