/** What a trace is, in one line and a half, and the tools for its waterfall. */
import type { TraceView } from '../../api-types.ts';
import { clock, dayAndTime, duration, plural } from '../format.ts';
import { to } from '../router.ts';
import { Copy, Name, Service, State, short } from '../ui/basic.tsx';

export interface TraceHeadProps {
  trace: TraceView;
  wanted: string;
  hits: ReadonlySet<number> | null;
  onFind(text: string): void;
  onNext(step: 1 | -1): void;
  onError(): void;
  withLogs: boolean;
  onLogs(): void;
  anyCollapsed: boolean;
  onCollapse(): void;
}

export function TraceHead(props: TraceHeadProps) {
  const { trace, wanted, hits } = props;
  const { summary } = trace;
  return (
    <header class="trace-head">
      <p class="crumbs">
        <a href={to.traces()}>Traces</a> <span aria-hidden="true">/</span>{' '}
        <code title={summary.traceId}>{short(summary.traceId)}</code>
        <Copy text={summary.traceId} label="Copy the trace id" />
      </p>
      <h1>
        <Name text={summary.name} />
        <span class="big-duration">{duration(summary.durationMs)}</span>
        {summary.httpStatus !== null && <code class={summary.httpStatus >= 500 ? 'bad' : ''}>{summary.httpStatus}</code>}
      </h1>
      <p class="facts quiet">
        <time title={dayAndTime(summary.startedAt)}>{clock(summary.startedAt)}</time>
        <span>{plural(summary.spans, 'span')}</span>
        {summary.errors > 0 && (
          <button type="button" class="link" onClick={props.onError} title="Go to the next error (e)">
            <State of="error" label={plural(summary.errors, 'error')} />
          </button>
        )}
        {!summary.rootSeen && <span class="tag">root has not arrived</span>}
        {summary.droppedSpans > 0 && <span class="tag">{plural(summary.droppedSpans, 'span')} did not fit</span>}
        <a href={to.logs({ trace: summary.traceId })}>{plural(summary.logs, 'log line')}</a>
        {summary.correlationId && (
          <span>
            correlation{' '}
            <a href={to.logs({ correlation: summary.correlationId })}>
              <Name text={summary.correlationId} />
            </a>
          </span>
        )}
      </p>
      <div class="tools">
        <ul class="legend" aria-label="Services">
          {summary.services.map(({ service, spans }) => (
            <li key={service}>
              <Service name={service} /> <small>{spans}</small>
            </li>
          ))}
        </ul>
        <label class="find">
          <span class="hidden">Find a span or service</span>
          <input
            id="find"
            type="search"
            placeholder="Find  /"
            value={wanted}
            onInput={(event) => props.onFind(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              props.onNext(event.shiftKey ? -1 : 1);
            }}
          />
          <output>{hits === null ? '' : plural(hits.size, 'hit')}</output>
        </label>
        {summary.logs > 0 && (
          <button type="button" class="quiet-button" aria-pressed={props.withLogs} onClick={props.onLogs}>
            Log lines
          </button>
        )}
        <button type="button" class="quiet-button" onClick={props.onCollapse}>
          {props.anyCollapsed ? 'Expand all' : 'Collapse all'}
        </button>
      </div>
    </header>
  );
}
