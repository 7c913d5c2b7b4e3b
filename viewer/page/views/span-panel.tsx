/** All about one span. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { MARK, type SpanView, type TraceRows } from '../../api-types.ts';
import { address, useData } from '../api.ts';
import { clock, dayAndTime, duration, plural } from '../format.ts';
import { go, to } from '../router.ts';
import { Ansi, Attributes, Copy, Empty, Failed, Name, Service, State } from '../ui/basic.tsx';

interface SpanPanelProps {
  trace: string;
  rows: TraceRows;
  row: number;
  onClose(): void;
  onSelect(row: number): void;
}

export function SpanPanel({ trace, rows, row, onClose, onSelect }: SpanPanelProps) {
  const span = rows.id[row];
  const missing = (rows.mark[row] & MARK.missing) !== 0;
  const panel = useRef<HTMLElement>(null);
  const { data, error } = useData<SpanView>(missing ? null : address('span', { trace, span, row }), {
    when: ({ changed, moreChanged }) => moreChanged || changed.includes(trace),
    every: 1000,
  });
  useEffect(() => panel.current?.scrollTo(0, 0), [span]);
  return (
    <section class="span-panel" ref={panel} tabIndex={-1} aria-label="Span">
      <button type="button" class="close" aria-label="Close the span" title="Close (Esc)" onClick={onClose}>
        ✕
      </button>
      {missing ? (
        <Missing id={span} />
      ) : data ? (
        <Details of={data} rows={rows} onSelect={onSelect} />
      ) : error ? (
        <Failed error={error} />
      ) : null}
    </section>
  );
}

function Missing({ id }: { id: string }) {
  return (
    <Empty title="Missing parent">
      <p>
        The spans below name <code>{id}</code> as their parent, but it has not arrived. It may still be running, its process may
        have ended before it was sent, or its service sends elsewhere. If it comes, it takes this place.
      </p>
    </Empty>
  );
}

function Details({ of, rows, onSelect }: { of: SpanView; rows: TraceRows; onSelect(row: number): void }) {
  const search = (key: string, value: string) => go(to.traces({ attr: `${key}=${value}` }));
  const parent = of.parentSpanId ? rows.id.indexOf(of.parentSpanId) : -1;
  const cut = Object.entries(of.dropped).filter(([, count]) => count > 0);
  return (
    <>
      <h2>
        <Name text={of.name} />
      </h2>
      <p class="facts">
        <Service name={of.service} />
        <span>{of.kind}</span>
        <b>{duration(of.durationMs)}</b>
        {of.status.code !== 'unset' && <State of={of.status.code} />}
      </p>
      {of.status.message && (
        <p class="bad message">
          <Ansi text={of.status.message} />
        </p>
      )}
      <p class="facts quiet">
        <time>{dayAndTime(of.startedAt)}</time>
        <span>
          span <code>{of.spanId}</code>
          <Copy text={of.spanId} label="Copy the span id" />
        </span>
        {parent >= 0 && (
          <button type="button" class="link" onClick={() => onSelect(parent)}>
            parent
          </button>
        )}
        <a href={to.logs({ trace: of.traceId, span: of.spanId })}>{plural(of.logs.length, 'log line')}</a>
      </p>
      {of.events.length > 0 && <Events of={of.events} />}
      <Block title="Attributes" open>
        <Attributes of={of.attributes} onPick={search} pickTitle="Traces with this attribute" />
      </Block>
      {of.logs.length > 0 && (
        <Block title={`Log lines (${of.logs.length})`} open>
          <ol class="span-logs">
            {of.logs.map((log) => (
              <li key={log.id} class={`level-${log.level}`}>
                <time>{clock(log.at)}</time> <span class="level">{log.level}</span>{' '}
                <span class="body">
                  <Ansi text={log.body} />
                </span>
              </li>
            ))}
          </ol>
        </Block>
      )}
      {of.links.length > 0 && (
        <Block title={`Links (${of.links.length})`} open>
          <ul class="links">
            {of.links.map((link) => (
              <li key={link.traceId + link.spanId}>
                <a href={to.trace(link.traceId, link.spanId)}>
                  <code>{link.traceId}</code>
                </a>{' '}
                {!link.here && <span class="tag">not here</span>}
                <Attributes of={link.attributes} />
              </li>
            ))}
          </ul>
        </Block>
      )}
      <Block title="Resource">
        <Attributes of={of.resource} />
      </Block>
      <Block title="Sender">
        <Attributes
          of={{
            scope: `${of.scope.name} ${of.scope.version}`.trim(),
            flags: of.flags,
            tracestate: of.traceState,
            start: of.startNs,
            end: of.endNs,
          }}
        />
      </Block>
      {cut.length > 0 && <p class="quiet">The sender cut off {cut.map(([what, count]) => `${count} ${what}`).join(', ')}.</p>}
    </>
  );
}

function Events({ of }: { of: SpanView['events'] }) {
  return (
    <Block title={`Events (${of.length})`} open>
      <ol class="events">
        {of.map((event, at) => {
          const { 'exception.stacktrace': stack, ...rest } = event.attributes;
          return (
            <li key={at} class={event.name === 'exception' ? 'exception' : ''}>
              <p>
                <time>+{duration(event.offsetUs / 1000)}</time>{' '}
                <b>
                  <Name text={event.name} />
                </b>
              </p>
              <Attributes of={rest} />
              {typeof stack === 'string' && (
                <pre>
                  <Ansi text={stack} />
                </pre>
              )}
            </li>
          );
        })}
      </ol>
    </Block>
  );
}

function Block({ title, open, children }: { title: string; open?: boolean; children: ComponentChildren }) {
  return (
    <details class="block" open={open}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
