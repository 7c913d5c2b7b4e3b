/** Traces as they come, and the search among them. */
import { useRef } from 'preact/hooks';
import type { TraceList, TraceSummary } from '../../api-types.ts';
import { colour, hue } from '../colours.ts';
import { clock, duration, plural, whole } from '../format.ts';
import { moveFocus, useKeys } from '../keys.ts';
import { go, to } from '../router.ts';
import { useTail } from '../tail.ts';
import { plain } from '../text.ts';
import { Empty, Failed, Name, Service, State } from '../ui/basic.tsx';
import { asQuery, type Field, Filters, useServiceOptions } from '../ui/filters.tsx';
import { TailBar } from '../ui/tail-bar.tsx';
import { NothingYet } from './nothing-yet.tsx';

const STATUS: [string, string][] = [
  ['', 'Any result'],
  ['error', 'With errors'],
  ['ok', 'Without errors'],
];

export function TracesView({ query }: { query: URLSearchParams }) {
  const list = useRef<HTMLDivElement>(null);
  const services = useServiceOptions(query.get('service'));
  const tail = useTail<TraceSummary>({
    path: 'traces',
    query: asQuery(query, ['attr']),
    read: ({ traces, next, incomplete }: TraceList) => ({ items: traces, next, incomplete }),
    id: ({ traceId }) => traceId,
    stale: ({ changed, moreChanged }) => moreChanged || changed.length > 0,
  });
  useKeys('Traces', [
    { keys: ['j', 'ArrowDown'], does: 'next trace', run: () => moveFocus('.traces a.trace', 1) },
    { keys: ['k', 'ArrowUp'], does: 'trace before', run: () => moveFocus('.traces a.trace', -1) },
  ]);
  const fields: Field[] = [
    { name: 'text', label: 'Text or trace id', kind: 'text', hint: 'words, or a trace id', class: 'grow', main: true },
    { name: 'service', label: 'Service', kind: 'select', options: services },
    { rare: true, name: 'name', label: 'Route or span', kind: 'text', hint: '/orders/:id' },
    { name: 'status', label: 'Result', kind: 'select', options: STATUS },
    { rare: true, name: 'minMs', label: 'From (ms)', kind: 'number', hint: '0', class: 'narrow' },
    { rare: true, name: 'maxMs', label: 'To (ms)', kind: 'number', hint: '∞', class: 'narrow' },
    { rare: true, name: 'attr', label: 'Attribute', kind: 'text', hint: 'key=value' },
    { rare: true, name: 'correlation', label: 'Correlation id', kind: 'text', hint: 'id' },
  ];
  const longest = Math.max(1, ...tail.items.map(({ durationMs }) => durationMs));
  const searching = [...query.keys()].length > 0;
  return (
    <div class="page full searched">
      <header class="head">
        <h1>Traces</h1>
        <TailBar tail={tail} noun="traces" onNew={() => list.current?.scrollTo(0, 0)} />
      </header>
      <Filters fields={fields} query={query} onChange={(next) => go(to.traces(next), { replace: true })} />
      {tail.error && <Failed error={tail.error} />}
      {tail.items.length === 0 && !tail.loading && !tail.error && (searching ? <NoMatch /> : <NothingYet />)}
      <div
        class={tail.items.length > 0 ? 'traces list' : 'traces list none'}
        ref={list}
        onScroll={(event) => tail.reading(event.currentTarget.scrollTop > 8)}
        onPointerMove={tail.touched}
        onFocusIn={tail.touched}
      >
        <ol>
          {byStart(tail.items).map((trace) => (
            <li key={trace.traceId}>
              <TraceRow of={trace} longest={longest} />
            </li>
          ))}
        </ol>
        {tail.more && (
          <button type="button" class="older" onClick={tail.older}>
            Older traces
          </button>
        )}
      </div>
    </div>
  );
}

function TraceRow({ of, longest }: { of: TraceSummary; longest: number }) {
  const { services, errors, httpStatus } = of;
  return (
    <a class={errors > 0 ? 'trace error' : 'trace'} href={to.trace(of.traceId)}>
      <time title={new Date(of.startedAt).toISOString()}>{clock(of.startedAt)}</time>
      <span class="title">
        <Service name={of.service} />
        <b>
          <Name text={of.name} />
        </b>
        {!of.rootSeen && (
          <span class="tag" title="Its first span has not arrived">
            no root yet
          </span>
        )}
        {of.droppedSpans > 0 && <span class="tag">{plural(of.droppedSpans, 'span')} did not fit</span>}
      </span>
      <span class="status">
        {errors > 0 ? <State of="error" label={plural(errors, 'error')} /> : null}{' '}
        {httpStatus !== null && <code>{httpStatus}</code>}
      </span>
      <span
        class="parts"
        role="img"
        aria-label={services.map(({ service, spans }) => `${plain(service)} ${plural(spans, 'span')}`).join(', ')}
      >
        {byColour(services)
          .slice(0, 8)
          .map(({ service, spans }) => (
            <i
              key={service}
              style={{ background: colour(service), flexGrow: spans }}
              title={`${plain(service)}: ${plural(spans, 'span')}`}
            />
          ))}
      </span>
      <span class="count">
        {whole(of.spans)}
        <small> {of.spans === 1 ? 'span' : 'spans'}</small>
      </span>
      <span class="length">
        <i style={{ width: `${Math.max(0.5, (of.durationMs / longest) * 100)}%` }} />
      </span>
      <b class="duration">{duration(of.durationMs)}</b>
    </a>
  );
}

/** The same services in the same order, whichever sent first. */
function byColour(services: TraceSummary['services']): TraceSummary['services'] {
  return [...services].sort((a, b) => hue(a.service) - hue(b.service));
}

/** Traces arrive in batches; a reader wants them by time. */
function byStart(traces: TraceSummary[]): TraceSummary[] {
  return [...traces].sort((a, b) => b.startedAt - a.startedAt);
}

function NoMatch() {
  return (
    <Empty title="Nothing matches">
      <p>
        New traces that match appear here as they arrive. <kbd>x</kbd> clears the search.
      </p>
    </Empty>
  );
}
