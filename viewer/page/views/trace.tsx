/** One trace: what it is, its waterfall, and the span that is looked at. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type LogList, MARK, type TraceView } from '../../api-types.ts';
import { address, useData } from '../api.ts';
import { useKeys } from '../keys.ts';
import { useLive } from '../live.ts';
import { go, to } from '../router.ts';
import { Empty, Failed } from '../ui/basic.tsx';
import { ancestors, found, linesOf, nextRow, placeLogs } from '../waterfall-rows.ts';
import { Minimap } from './minimap.tsx';
import { SpanPanel } from './span-panel.tsx';
import { TraceHead } from './trace-head.tsx';
import { Waterfall } from './waterfall.tsx';

/** Above this many spans, a trace that still grows is asked for less often. */
const LARGE = 2000;
/** Up to so many log lines stand in the waterfall from the start. */
const FEW_LOGS = 200;

export function TracePage({ id, span }: { id: string; span: string }) {
  const [spans, setSpans] = useState(0);
  const { data, error } = useData<TraceView>(address('trace', { id }), {
    when: ({ changed, moreChanged }) => moreChanged || changed.includes(id),
    every: spans > LARGE ? 2000 : 300,
  });
  useEffect(() => setSpans(data?.rows.id.length ?? 0), [data]);
  if (data === null) {
    if (error?.status === 404) return <Waiting id={id} />;
    return error ? <Failed error={error} /> : <p class="quiet wait">Loading …</p>;
  }
  return <Loaded key={id} id={id} span={span} trace={data} />;
}

function Loaded({ id, span, trace }: { id: string; span: string; trace: TraceView }) {
  const { rows, names, services, summary } = trace;
  const [selected, setSelected] = useState(() => rows.id.indexOf(span));
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [wanted, setWanted] = useState('');
  const [logsShown, setLogsShown] = useState<boolean | null>(null);
  const [zoom, setZoom] = useState<[number, number] | null>(null);
  const whole: [number, number] = [Math.min(0, ...[rows.startUs[0] ?? 0]), Math.max(1, summary.durationMs * 1000)];
  const range = zoom ?? whole;

  const withLogs = logsShown ?? summary.logs <= FEW_LOGS;
  const logs = useData<LogList>(withLogs && summary.logs > 0 ? address('logs', { trace: id, limit: 1000 }) : null, {
    when: ({ changed, moreChanged }) => moreChanged || changed.includes(id),
    every: 1000,
  });
  const placed = useMemo(
    () => (withLogs && logs.data ? placeLogs(rows, summary.startNs, logs.data.logs) : []),
    [rows, logs.data, withLogs],
  );
  const lines = useMemo(() => linesOf(rows, collapsed, placed), [rows, collapsed, placed]);
  const hits = useMemo(() => found(rows, names, services, wanted), [rows, names, services, wanted]);

  // Rows move when late spans arrive: what is selected is the span, not the place.
  const row = rows.id[selected] === span ? selected : rows.id.indexOf(span);
  useEffect(() => {
    if (row !== selected) setSelected(row);
    if (row >= 0) open(row);
  }, [row, span]);

  function select(next: number): void {
    if (next < 0) {
      go(to.trace(id), { replace: true });
      return;
    }
    setSelected(next);
    open(next);
    go(to.trace(id, rows.id[next]), { replace: true });
  }
  /** Opens what hides a row. */
  function open(next: number): void {
    const above = ancestors(rows, next);
    setCollapsed((old) => (above.some((one) => old.has(one)) ? new Set([...old].filter((one) => !above.includes(one))) : old));
  }
  function toggle(at: number, on?: boolean): void {
    const key = rows.id[at];
    setCollapsed((old) => {
      const next = new Set(old);
      if (on ?? !next.has(key)) next.add(key);
      else next.delete(key);
      return next;
    });
  }
  const jump = (step: 1 | -1, test: (row: number) => boolean) => {
    const next = nextRow(rows.id.length, row, step, test);
    if (next >= 0) select(next);
  };
  const failed = (at: number) => (rows.mark[at] & MARK.error) !== 0;
  const all = () =>
    setCollapsed(collapsed.size > 0 ? new Set() : new Set(rows.id.filter((_, at) => rows.below[at] > 0 && rows.depth[at] > 0)));
  useKeys('Trace', [
    { keys: ['/'], does: 'find a span or service', run: () => document.querySelector<HTMLInputElement>('#find')?.focus() },
    { keys: ['n'], does: 'next one found', run: () => hits && jump(1, (at) => hits.has(at)) },
    { keys: ['N'], does: 'one found before', run: () => hits && jump(-1, (at) => hits.has(at)) },
    { keys: ['e'], does: 'next error', run: () => jump(1, failed) },
    { keys: ['E'], does: 'error before', run: () => jump(-1, failed) },
    { keys: ['l'], does: 'show or hide log lines in place', run: () => setLogsShown(!withLogs) },
    { keys: ['c'], does: 'collapse or expand everything', run: all },
    {
      keys: ['z'],
      does: 'zoom to the span, or back',
      run: () => setZoom(zoom || row < 0 ? null : [rows.startUs[row], rows.startUs[row] + Math.max(1, rows.durationUs[row])]),
    },
    {
      keys: ['Escape'],
      does: 'close the span, then back to the traces',
      run: () => (row >= 0 ? select(-1) : go(to.traces())),
    },
  ]);

  return (
    <div class="page full trace-page">
      <TraceHead
        trace={trace}
        wanted={wanted}
        hits={hits}
        onFind={setWanted}
        onNext={(step) => hits && jump(step, (at) => hits.has(at))}
        onError={() => jump(1, failed)}
        withLogs={withLogs}
        onLogs={() => setLogsShown(!withLogs)}
        anyCollapsed={collapsed.size > 0}
        onCollapse={all}
      />
      {rows.id.length > 1 && <Minimap rows={rows} services={services} whole={whole} range={zoom} onRange={setZoom} />}
      <div class={row >= 0 ? 'trace-body with-panel' : 'trace-body'}>
        <Waterfall
          trace={trace}
          lines={lines}
          logs={placed}
          collapsed={collapsed}
          selected={row}
          hits={hits}
          range={range}
          onSelect={select}
          onToggle={toggle}
        />
        {row >= 0 && (
          <SpanPanel key={rows.id[row]} trace={id} rows={rows} row={row} onClose={() => select(-1)} onSelect={select} />
        )}
      </div>
    </div>
  );
}

/** A link may be followed before its trace has been sent: senders batch for some seconds. */
function Waiting({ id }: { id: string }) {
  const { connected } = useLive();
  useKeys('Trace', [{ keys: ['Escape'], does: 'back to the traces', run: () => go(to.traces()) }]);
  const valid = /^[0-9a-f]{32}$/.test(id);
  return (
    <Empty only title={valid ? 'Waiting for this trace' : 'No such trace'}>
      <p>
        <code class="id">{id.slice(0, 100)}</code>
      </p>
      {valid ? (
        <p role="status">
          Nothing of it has arrived. Services send their spans in batches, so this can take some seconds; it opens here by itself
          {connected ? '.' : ' once the viewer answers again.'}
        </p>
      ) : (
        <p>A trace id has 32 hexadecimal digits.</p>
      )}
      <p>
        <a href={to.traces()}>All traces</a>
      </p>
    </Empty>
  );
}
