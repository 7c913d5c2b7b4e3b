/** A line as small as a word, with the requests that can be opened as points on it. */
import type { ExemplarPoint } from '../../api-types.ts';
import { to } from '../router.ts';
import { said } from './chart.tsx';

type Values = readonly (number | null)[];

const WIDTH = 100;
const HEIGHT = 30;
const MOST_POINTS = 6;
const APART = 0.08;

export interface SparkProps {
  /** What is drawn, for those who cannot see it. */
  label: string;
  lines: { values: Values; class: string; area?: boolean }[];
  /** The top of the scale is at least this. */
  least?: number;
}

export function Spark({ label, lines, least = 0 }: SparkProps) {
  const top = topOf(
    lines.map(({ values }) => values),
    least,
  );
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
      {lines.map(({ values, class: name, area }) => (
        <g class={name}>
          {area && <path class="area" d={path(values, top, true)} />}
          <path class="line" d={path(values, top, false)} />
        </g>
      ))}
    </svg>
  );
}

/** As {@link Spark}, for durations, with links to slow requests. */
export function LatencySpark({
  label,
  lines,
  from,
  stepMs,
  exemplars,
}: SparkProps & { from: number; stepMs: number; exemplars: readonly ExemplarPoint[] }) {
  const slots = lines[0]?.values.length ?? 0;
  const points = exemplars.filter(({ at }) => at >= from && at <= from + slots * stepMs);
  const top = topOf([...lines.map(({ values }) => values), points.map(({ durationMs }) => durationMs)], 0);
  return (
    <div class="latency">
      <Spark label={label} lines={lines} least={top} />
      {strongest(points, slots * stepMs).map((point) => (
        <a
          key={point.traceId + point.spanId}
          class={point.error ? 'point error' : 'point'}
          href={to.trace(point.traceId, point.spanId)}
          style={{ left: `${((point.at - from) / (slots * stepMs)) * 100}%`, bottom: `${(point.durationMs / top) * 92}%` }}
          title={said(point)}
        >
          <span class="hidden">{said(point)}</span>
        </a>
      ))}
    </div>
  );
}

/** The slowest ones, so far from each other (share of the width) that each can be hit. */
function strongest(points: readonly ExemplarPoint[], width: number): ExemplarPoint[] {
  const kept: ExemplarPoint[] = [];
  for (const point of [...points].sort((a, b) => b.durationMs - a.durationMs)) {
    if (kept.every(({ at }) => Math.abs(at - point.at) > width * APART)) kept.push(point);
    if (kept.length === MOST_POINTS) break;
  }
  return kept;
}

function topOf(lines: Values[], least: number): number {
  let top = least;
  for (const values of lines) for (const value of values) if (value !== null && value > top) top = value;
  return top || 1;
}

/** A gap stays a gap; a value alone becomes a short stroke. */
function path(values: Values, top: number, area: boolean): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  const y = (value: number) => (HEIGHT - 1 - (value / top) * (HEIGHT - 3)).toFixed(2);
  let text = '';
  for (let at = 0; at < values.length; at++) {
    if (values[at] === null) continue;
    const first = at;
    while (at + 1 < values.length && values[at + 1] !== null) at++;
    const points = values.slice(first, at + 1).map((value, n) => `${((first + n) * step).toFixed(2)},${y(value!)}`);
    if (points.length === 1) points.push(`${Math.min(WIDTH, first * step + 1).toFixed(2)},${y(values[first]!)}`);
    text += area
      ? `M${(first * step).toFixed(2)},${HEIGHT}L${points.join('L')}L${(at * step).toFixed(2)},${HEIGHT}Z`
      : `M${points.join('L')}`;
  }
  return text;
}
