/** Who calls whom, drawn from the spans that arrived. */
import { useMemo } from 'preact/hooks';
import type { ServiceMap } from '../../api-types.ts';
import { address, useData } from '../api.ts';
import { colour } from '../colours.ts';
import { duration, percent, plural, quantity } from '../format.ts';
import { BOX, layOut, type Placed } from '../map-layout.ts';
import { to } from '../router.ts';
import { plain } from '../text.ts';
import { Failed } from '../ui/basic.tsx';

/** Beyond this, a drawing says less than the table of calls. */
const MOST = 60;
const KINDS = { service: '', db: 'database', messaging: 'queue', external: 'external' } as const;

export function MapView({ minutes }: { minutes: number }) {
  const { data, error } = useData<ServiceMap>(address('map', { minutes }), {
    when: ({ changed }) => changed.length > 0,
    every: 2000,
  });
  const shown = useMemo(() => (data === null ? null : busiest(data)), [data]);
  if (data === null || shown === null) return error ? <Failed error={error} /> : <p class="quiet">Loading …</p>;
  if (shown.nodes.length === 0) return <p class="quiet">No spans in this time.</p>;
  const { width, height, placed } = layOut(shown);
  return (
    <div class="map">
      {/* biome-ignore lint/a11y/useSemanticElements: an svg cannot be a fieldset */}
      <svg
        width={width + 2}
        height={height + 2}
        viewBox={`-1 -1 ${width + 2} ${height + 2}`}
        role="group"
        aria-label="Map of services"
      >
        {shown.edges.map((edge) => (
          <Edge key={`${edge.from}\n${edge.to}`} edge={edge} placed={placed} />
        ))}
        {[...placed.values()].map((at) => (
          <Node key={at.node.id} at={at} />
        ))}
      </svg>
      {data.nodes.length > shown.nodes.length && (
        <p class="quiet">
          The {MOST} busiest of {data.nodes.length} are drawn.
        </p>
      )}
    </div>
  );
}

function Edge({ edge, placed }: { edge: ServiceMap['edges'][number]; placed: Map<string, Placed> }) {
  const from = placed.get(edge.from);
  const target = placed.get(edge.to);
  if (!from || !target || from === target) return null;
  const back = target.x <= from.x;
  const x1 = from.x + (back ? BOX.width / 2 : BOX.width);
  const y1 = from.y + (back ? BOX.height : BOX.height / 2);
  const x2 = back ? target.x + BOX.width / 2 : target.x;
  const y2 = back ? target.y + BOX.height : target.y + BOX.height / 2;
  const bend = back ? 40 : Math.max(24, (x2 - x1) / 2);
  const d = back
    ? `M${x1},${y1}C${x1},${y1 + bend} ${x2},${y2 + bend} ${x2},${y2}`
    : `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
  const { count, rate, errors, errorRatio, p95 } = edge.total;
  const said = `${plain(from.node.label)} calls ${plain(target.node.label)}: ${plural(count, 'call')}, ${percent(errorRatio)} errors, p95 ${duration(p95)}`;
  return (
    <g class={errors > 0 ? 'edge error' : 'edge'}>
      <title>{said}</title>
      <path class="touch" d={d} />
      <path class="line" d={d} style={{ strokeWidth: `${Math.min(4, 1 + Math.log10(1 + rate))}px` }} />
      {!back && (
        <text x={(x1 + x2) / 2} y={(y1 + y2) / 2 - 5}>
          {quantity(count)}
        </text>
      )}
    </g>
  );
}

function Node({ at: { node, x, y } }: { at: Placed }) {
  const { label, kind, total } = node;
  const name = plain(label);
  const facts = [
    KINDS[kind],
    total.count > 0 && `${quantity(total.rate)}/s`,
    total.errors > 0 && `✕ ${percent(total.errorRatio)}`,
    kind === 'service' && total.p95 !== null && `p95 ${duration(total.p95)}`,
  ].filter(Boolean);
  const box = (
    <g class={`node ${kind}${total.errors > 0 ? ' error' : ''}`} transform={`translate(${x},${y})`}>
      <rect width={BOX.width} height={BOX.height} rx={8} />
      {kind === 'service' && <circle cx={15} cy={17} r={4} style={{ fill: colour(label) }} />}
      <text class="name" x={kind === 'service' ? 26 : 12} y={21}>
        <title>{name}</title>
        {name.length > 20 ? `${name.slice(0, 19)}…` : name}
      </text>
      <text class="facts" x={12} y={37}>
        {facts.join(' · ')}
      </text>
    </g>
  );
  if (kind !== 'service') return box;
  return <a href={to.service(label)}>{box}</a>;
}

function busiest(map: ServiceMap): ServiceMap {
  if (map.nodes.length <= MOST) return map;
  const nodes = [...map.nodes].sort((a, b) => b.total.count - a.total.count).slice(0, MOST);
  const kept = new Set(nodes.map(({ id }) => id));
  return { nodes, edges: map.edges.filter(({ from, to }) => kept.has(from) && kept.has(to)) };
}
