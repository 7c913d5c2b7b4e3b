/** What the viewer holds, and what it had to give up. */
import type { Status } from '../../api-types.ts';
import { address, clearAll, useData } from '../api.ts';
import { bytes, plural, whole } from '../format.ts';
import { useLive } from '../live.ts';
import { Name, State } from '../ui/basic.tsx';

export function StatusBar() {
  const { data } = useData<Status>(address('status'), { when: () => true, every: 2000 });
  const { connected } = useLive();
  return (
    <footer class="status-bar">
      {connected ? <State of="ok" label="connected" /> : <State of="error" label="viewer does not answer" />}
      {data && (
        <>
          <span class="held">
            {plural(data.storage.traces, 'trace')}, {plural(data.storage.spans, 'span')}, {plural(data.storage.logs, 'log line')},{' '}
            {whole(data.storage.series)} series
          </span>
          <span title="Memory that telemetry takes, of what it may take">
            {bytes(data.storage.usedBytes)} of {bytes(data.storage.maxBytes)}
          </span>
          <DroppedNote of={data} />
          <span class="push">
            <button
              type="button"
              class="link"
              onClick={() => confirm('Throw away all telemetry that the viewer holds?') && clearAll().catch(() => {})}
            >
              Clear
            </button>
          </span>
          <span class="version">o11y-kit {data.version}</span>
        </>
      )}
    </footer>
  );
}

function DroppedNote({ of: { dropped } }: { of: Status }) {
  const facts = [
    [
      dropped.evictedTraces,
      `old ${dropped.evictedTraces === 1 ? 'trace' : 'traces'} made room (${plural(dropped.evictedSpans, 'span')})`,
    ],
    [dropped.evictedLogs, 'old log lines made room'],
    [dropped.lateSpans, 'spans came after their trace had gone'],
    [dropped.oversizedSpans, 'spans beyond what one trace may hold'],
    [dropped.rejected, 'records could not be read'],
    [dropped.series, 'series beyond the limit'],
  ] as const;
  const shown = facts.filter(([count]) => count > 0);
  if (shown.length === 0) return null;
  const total = shown.reduce((sum, [count]) => sum + count, 0);
  return (
    <details class="dropped">
      <summary>
        <State of="warn" label={`${whole(total)} dropped`} />
      </summary>
      <div>
        <ul>
          {shown.map(([count, text]) => (
            <li key={text}>
              <b>{whole(count)}</b> {text}
            </li>
          ))}
        </ul>
        {dropped.byService.length > 0 && (
          <table>
            <thead>
              <tr>
                <th scope="col">Service</th>
                <th scope="col" class="number">
                  spans
                </th>
                <th scope="col" class="number">
                  lines
                </th>
              </tr>
            </thead>
            <tbody>
              {dropped.byService.slice(0, 12).map(({ service, spans, logs }) => (
                <tr key={service}>
                  <th scope="row">
                    <Name text={service} />
                  </th>
                  <td class="number">{whole(spans)}</td>
                  <td class="number">{whole(logs)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <p class="quiet">
          More room: <code>o11y-kit view --memory 256</code>
        </p>
      </div>
    </details>
  );
}
