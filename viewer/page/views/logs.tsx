/** Log lines as they come, the search among them, and the way to their traces. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogList, LogRow } from '../../api-types.ts';
import { clock, dayAndTime } from '../format.ts';
import { moveFocus, useKeys } from '../keys.ts';
import { go, to } from '../router.ts';
import { useTail } from '../tail.ts';
import { Ansi, Attributes, Copy, Empty, Failed, Name, Service, short } from '../ui/basic.tsx';
import { asQuery, type Field, Filters, useServiceOptions } from '../ui/filters.tsx';
import { TailBar } from '../ui/tail-bar.tsx';
import { NothingYet } from './nothing-yet.tsx';

/** What of a closed line can be seen on the widest screen. */
const MOST_TEXT = 500;
const LEVELS: [string, string][] = [
  ['', 'All levels'],
  ['debug', 'debug and above'],
  ['info', 'info and above'],
  ['warn', 'warn and above'],
  ['error', 'error and above'],
  ['fatal', 'fatal'],
];

export function LogsView({ query }: { query: URLSearchParams }) {
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState('');
  const [scrolled, setScrolled] = useState(false);
  const services = useServiceOptions(query.get('service'));
  const newest = useRef('');
  const tail = useTail<LogRow>({
    path: 'logs',
    query: asQuery(query, ['field']),
    read: (answer: LogList) => {
      newest.current = answer.newest;
      return { items: answer.logs, next: answer.next, incomplete: answer.incomplete };
    },
    id: ({ id }) => id,
    stale: ({ logs, moreChanged }) => moreChanged || logs !== newest.current,
  });
  useEffect(() => tail.reading(scrolled || open !== ''), [scrolled, open]);
  const search = (next: Record<string, string>) => go(to.logs(next), { replace: true });
  const narrow = (name: string, value: string) => search({ ...Object.fromEntries(query), [name]: value });
  useKeys('Logs', [
    { keys: ['j', 'ArrowDown'], does: 'next line', run: () => moveFocus('.log-lines .line', 1) },
    { keys: ['k', 'ArrowUp'], does: 'line before', run: () => moveFocus('.log-lines .line', -1) },
    { keys: ['o'], does: 'open the trace of the line', run: () => traceOfFocus()?.click() },
    { keys: ['Escape'], does: 'close the line', run: () => setOpen('') },
  ]);
  const fields: Field[] = [
    { name: 'text', label: 'Text', kind: 'text', hint: 'words that must all occur', class: 'grow', main: true },
    { name: 'level', label: 'Level', kind: 'select', options: LEVELS },
    { name: 'service', label: 'Service', kind: 'select', options: services },
    { rare: true, name: 'field', label: 'Field', kind: 'text', hint: 'key=value' },
    { rare: true, name: 'correlation', label: 'Correlation id', kind: 'text', hint: 'id' },
    { rare: true, name: 'trace', label: 'Trace', kind: 'text', hint: 'trace id' },
  ];
  return (
    <div class="page full searched">
      <header class="head">
        <h1>Logs</h1>
        <TailBar
          tail={tail}
          noun="lines"
          onNew={() => {
            setOpen('');
            list.current?.scrollTo(0, 0);
          }}
        />
      </header>
      <Filters fields={fields} query={query} onChange={search} />
      {tail.error && <Failed error={tail.error} />}
      {tail.items.length === 0 && !tail.loading && !tail.error && ([...query.keys()].length > 0 ? <NoMatch /> : <NothingYet />)}
      <div
        class={tail.items.length > 0 ? 'log-lines list' : 'log-lines list none'}
        ref={list}
        onScroll={(event) => setScrolled(event.currentTarget.scrollTop > 8)}
        onPointerMove={tail.touched}
        onFocusIn={tail.touched}
      >
        <ol>
          {byTime(tail.items).map((line) => (
            <Line
              key={line.id}
              of={line}
              open={open === line.id}
              onToggle={() => setOpen(open === line.id ? '' : line.id)}
              onPick={narrow}
            />
          ))}
        </ol>
        {tail.more && (
          <button type="button" class="older" onClick={tail.older}>
            Older lines
          </button>
        )}
      </div>
    </div>
  );
}

function Line({
  of,
  open,
  onToggle,
  onPick,
}: {
  of: LogRow;
  open: boolean;
  onToggle(): void;
  onPick(name: string, value: string): void;
}) {
  return (
    <li class={`level-${of.level}${open ? ' open' : ''}`}>
      <div class="line-row">
        <button type="button" class="line" aria-expanded={open} onClick={onToggle}>
          <time>{clock(of.at)}</time>
          <span class="level">{of.level}</span>
          <Service name={of.service} />
          <span class="body">
            <Ansi text={open ? of.body : of.body.slice(0, MOST_TEXT)} />
          </span>
        </button>
        {of.traceId !== '' && <TraceLink of={of} />}
      </div>
      {open && (
        <div class="line-details">
          <p class="facts">
            <span>{dayAndTime(of.at)}</span>
            {of.scope && <Name text={of.scope} />}
            {of.correlationId && (
              <span>
                correlation id{' '}
                <button type="button" class="link" onClick={() => onPick('correlation', of.correlationId)}>
                  <Name text={of.correlationId} />
                </button>
              </span>
            )}
            {of.traceId && (
              <span>
                trace <a href={to.trace(of.traceId, of.spanId)}>{of.traceId}</a>{' '}
                <Copy text={of.traceId} label="Copy the trace id" />
              </span>
            )}
          </p>
          <Attributes
            of={of.attributes}
            pickTitle="Only lines with this field"
            onPick={(key, value) => onPick('field', `${key}=${value}`)}
          />
        </div>
      )}
    </li>
  );
}

function TraceLink({ of }: { of: LogRow }) {
  const label = of.hasTrace ? 'Open the trace' : 'Its trace is not here (yet)';
  return (
    <a
      class={of.hasTrace ? 'to-trace' : 'to-trace absent'}
      href={to.trace(of.traceId, of.spanId)}
      title={label}
      aria-label={`${short(of.traceId)}: ${label}`}
    >
      {short(of.traceId)}
    </a>
  );
}

function traceOfFocus(): HTMLAnchorElement | null | undefined {
  return document.activeElement?.closest('li')?.querySelector<HTMLAnchorElement>('.to-trace');
}

/** Lines of several services arrive in batches; a reader wants them by time. */
function byTime(lines: LogRow[]): LogRow[] {
  return [...lines].sort((a, b) => b.at - a.at);
}

function NoMatch() {
  return (
    <Empty title="No line matches">
      <p>
        New lines that match appear here as they arrive. <kbd>x</kbd> clears the search.
      </p>
    </Empty>
  );
}
