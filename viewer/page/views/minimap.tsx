/** All spans at once, to see the shape of a trace and to zoom by dragging. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { MARK, type TraceRows } from '../../api-types.ts';
import { hue, resolved } from '../colours.ts';
import { duration } from '../format.ts';
import { useThemeVersion } from '../theme.ts';

const HEIGHT = 44;

interface MinimapProps {
  rows: TraceRows;
  services: readonly string[];
  whole: [number, number];
  range: [number, number] | null;
  onRange(range: [number, number] | null): void;
}

export function Minimap({ rows, services, whole, range, onRange }: MinimapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useThemeVersion();
  const [width, setWidth] = useState(0);
  const [drag, setDrag] = useState<[number, number] | null>(null);

  useEffect(() => {
    const box = canvas.current!.parentElement!;
    const observer = new ResizeObserver(() => setWidth(box.clientWidth));
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width > 0) draw(canvas.current!, rows, services, whole, width);
  }, [rows, width, theme]);

  const [from, until] = whole;
  const timeAt = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    return from + Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * (until - from);
  };
  const shown = drag ? sorted(drag) : range;
  const percent = (at: number) => ((at - from) / (until - from)) * 100;
  return (
    <div class="minimap">
      <div
        class="mini-box"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag([timeAt(event), timeAt(event)]);
        }}
        onPointerMove={(event) => drag && setDrag([drag[0], timeAt(event)])}
        onPointerUp={() => {
          if (!drag) return;
          const [start, end] = sorted(drag);
          setDrag(null);
          // A click is no range: it leads back to the whole.
          onRange(end - start > (until - from) / 200 ? [start, end] : null);
        }}
      >
        <canvas ref={canvas} height={HEIGHT} role="img" aria-label="The whole trace; drag to zoom, or press z on a span" />
        {shown && (
          <i class="mini-range" style={{ left: `${percent(shown[0])}%`, width: `${percent(shown[1]) - percent(shown[0])}%` }} />
        )}
      </div>
      {range && (
        <button type="button" class="quiet-button" onClick={() => onRange(null)}>
          {duration((range[1] - range[0]) / 1000)} shown · show all
        </button>
      )}
    </div>
  );
}

function draw(
  canvas: HTMLCanvasElement,
  rows: TraceRows,
  services: readonly string[],
  [from, until]: [number, number],
  width: number,
): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${HEIGHT}px`;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(ratio, ratio);
  const count = rows.id.length;
  const line = Math.max(0.6, Math.min(4, (HEIGHT - 4) / count - 0.5));
  const colours = services.map((service) => resolved(`--s${hue(service)}`));
  const failed = resolved('--error');
  const scale = width / (until - from);
  for (let row = 0; row < count; row++) {
    if (rows.mark[row] & MARK.missing) continue;
    context.fillStyle = rows.mark[row] & MARK.error ? failed : (colours[rows.service[row]] ?? failed);
    const y = 2 + (row / count) * (HEIGHT - 4);
    context.fillRect((rows.startUs[row] - from) * scale, y, Math.max(0.75, rows.durationUs[row] * scale), line);
  }
}

function sorted([a, b]: [number, number]): [number, number] {
  return a < b ? [a, b] : [b, a];
}
