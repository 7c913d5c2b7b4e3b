/** A chart of lines over time (uPlot), with the requests that can be opened as links above it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { ExemplarPoint } from '../../api-types.ts';
import { resolved } from '../colours.ts';
import { clock, duration } from '../format.ts';
import { to } from '../router.ts';
import { useThemeVersion } from '../theme.ts';

export interface ChartLine {
  label: string;
  values: readonly (number | null)[];
  /** Custom property of the style sheet, `--s0`. */
  colour: string;
  /** Filled below. */
  area?: boolean;
  dashed?: boolean;
}

export interface ChartProps {
  /** Name of the chart for those who cannot see it. */
  label: string;
  from: number;
  stepMs: number;
  lines: ChartLine[];
  height: number;
  format(value: number | null): string;
  /** Range of the axis; from 0 to what is needed if absent. */
  range?: [number, number];
  exemplars?: readonly ExemplarPoint[];
}

interface Point {
  left: number;
  top: number;
  of: ExemplarPoint;
}

export function Chart(props: ChartProps) {
  const { label, from, stepMs, lines, height, format, exemplars } = props;
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useThemeVersion();
  const [points, setPoints] = useState<Point[]>([]);
  const [cursor, setCursor] = useState<number | null>(null);
  const slots = lines[0]?.values.length ?? 0;
  const shape = `${lines.map((line) => `${line.label}${line.colour}`).join()}|${height}|${theme}`;
  const data = useMemo(
    () =>
      [
        Array.from({ length: slots }, (_, n) => (from + n * stepMs) / 1000),
        ...lines.map((line) => line.values),
      ] as uPlot.AlignedData,
    [from, stepMs, slots, lines],
  );
  const latest = useRef(props);
  latest.current = props;

  function place(self: uPlot): void {
    const wanted = telling(latest.current);
    const { min = 0, max = 0 } = self.scales.x;
    const placed: Point[] = [];
    for (const of of wanted) {
      if (of.at / 1000 < min! || of.at / 1000 > max!) continue;
      const point = { of, left: self.valToPos(of.at / 1000, 'x'), top: Math.max(2, self.valToPos(of.durationMs, 'y')) };
      // The slowest come first; whatever would lie on top of one of them could not be hit.
      if (placed.every(({ left, top }) => Math.hypot(left - point.left, top - point.top) > APART)) placed.push(point);
    }
    setPoints(placed);
  }

  useEffect(() => {
    const box = holder.current!;
    const options = optionsFor(lines, height, box.clientWidth, {
      format: (value) => latest.current.format(value),
      range: () => [latest.current.range, topOf(latest.current)],
    });
    options.hooks = { draw: [place], setCursor: [(self) => setCursor(self.cursor.idx ?? null)] };
    const self = new uPlot(options, data, box);
    plot.current = self;
    const observer = new ResizeObserver(() => {
      if (box.clientWidth > 0 && box.clientWidth !== self.width) self.setSize({ width: box.clientWidth, height });
    });
    observer.observe(box);
    return () => {
      observer.disconnect();
      self.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [data, exemplars]);

  return (
    <figure class="chart" aria-label={`${label}. ${summary(lines, format)}`}>
      <div class="plot" style={{ height: `${height}px` }}>
        <div ref={holder} />
        {points.map(({ left, top, of }) => (
          <a
            key={of.traceId + of.spanId}
            class={of.error ? 'point error' : 'point'}
            href={to.trace(of.traceId, of.spanId)}
            style={{ left: `${left + AXIS}px`, top: `${top + PAD}px` }}
            title={`${duration(of.durationMs)} at ${clock(of.at, false)}: open the trace`}
          >
            <span class="hidden">{said(of)}</span>
          </a>
        ))}
      </div>
      <figcaption>
        {lines.map((line) => (
          <span class="key" key={line.label}>
            <i style={{ background: `var(${line.colour})` }} aria-hidden="true" />
            <bdi>{line.label}</bdi> <b>{format(line.values[cursor ?? -1] ?? (cursor === null ? lastOf(line.values) : null))}</b>
          </span>
        ))}
        <span class="at">{cursor === null ? '' : clock(from + cursor * stepMs, false)}</span>
      </figcaption>
    </figure>
  );
}

const AXIS = 54;
const PAD = 6;
const MOST_POINTS = 60;
/** Pixels between two points. */
const APART = 16;

function optionsFor(
  lines: ChartLine[],
  height: number,
  width: number,
  { format, range }: { format(value: number | null): string; range(): [[number, number] | undefined, number] },
): uPlot.Options {
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { font, stroke: resolved('--muted'), ticks: { show: false } };
  return {
    width: Math.max(80, width),
    height,
    padding: [PAD, 22, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, points: { size: 5 }, y: false, sync: { key: 'page' } },
    scales: {
      x: { time: true },
      y: {
        range: () => {
          const [fixed, top] = range();
          return fixed ?? [0, top > 0 ? top * 1.08 : 1];
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 22,
        gap: 4,
        space: 82,
        grid: { show: false },
        values: (_, splits, __, ___, step) => splits.map((at) => clock(at * 1000, false).slice(0, step < 60 ? 8 : 5)),
      },
      {
        ...axis,
        size: AXIS,
        gap: 6,
        space: 28,
        grid: { stroke: resolved('--line'), width: 1 },
        values: (_, splits) => splits.map((value) => format(value)),
      },
    ],
    series: [
      {},
      ...lines.map((line) => {
        const stroke = resolved(line.colour);
        return {
          label: line.label,
          stroke,
          width: 1.5,
          fill: line.area ? `${stroke}22` : undefined,
          dash: line.dashed ? [4, 4] : undefined,
          points: { show: isolated },
        };
      }),
    ],
  };
}

/** The slowest request of each slot, and those that failed: the others would only hide the lines. */
function telling({ exemplars = [], from, stepMs }: ChartProps): ExemplarPoint[] {
  const slowest = new Map<number, ExemplarPoint>();
  const failed: ExemplarPoint[] = [];
  for (const point of exemplars) {
    const slot = Math.floor((point.at - from) / stepMs);
    if (point.error) failed.push(point);
    else if (point.durationMs > (slowest.get(slot)?.durationMs ?? -1)) slowest.set(slot, point);
  }
  return [...slowest.values(), ...failed.slice(-MOST_POINTS)].sort((a, b) => b.durationMs - a.durationMs).slice(0, MOST_POINTS);
}

/** Points only where a value stands alone and no line would show it. */
function isolated(self: uPlot, series: number): boolean {
  let known = 0;
  for (const value of self.data[series]) if (value !== null && value !== undefined) known++;
  return known === 1;
}

function topOf({ lines, exemplars = [] }: ChartProps): number {
  let top = 0;
  for (const { values } of lines) for (const value of values) if (value !== null && value > top) top = value;
  for (const { durationMs } of exemplars) if (durationMs > top) top = durationMs;
  return top;
}

/** What a point says to those who cannot see where it stands. */
export function said(of: ExemplarPoint): string {
  return `Open the request of ${duration(of.durationMs)} at ${clock(of.at, false)}${of.error ? ', which failed' : ''}`;
}

function summary(lines: ChartLine[], format: ChartProps['format']): string {
  return lines.map(({ label, values }) => `${label} ${format(lastOf(values))}`).join(', ');
}

export function lastOf(values: readonly (number | null)[]): number | null {
  for (let at = values.length - 1; at >= 0; at--) if (values[at] !== null && values[at] !== undefined) return values[at];
  return null;
}
