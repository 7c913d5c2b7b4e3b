/** The health checks of every process. */
import type { HealthView, ServiceHealth } from '../../api-types.ts';
import { address, useData } from '../api.ts';
import { clock, duration, uptime } from '../format.ts';
import { to } from '../router.ts';
import { Ansi, Empty, Failed, Name, Service, State } from '../ui/basic.tsx';

export function HealthPage() {
  const { data, error } = useData<HealthView>(address('health'), {
    when: ({ health, metrics }) => health || metrics,
    every: 1000,
  });
  if (data === null) return error ? <Failed error={error} /> : <p class="quiet wait">Loading …</p>;
  return (
    <div class="page">
      <header class="head">
        <h1>Health</h1>
      </header>
      {error && <Failed error={error} />}
      {data.services.length === 0 && (
        <Empty title="No process is being asked">
          <p>
            Processes that run with the kit announce their health address with their telemetry. Others can be given:{' '}
            <code>o11y-kit view --scrape http://localhost:9464/metrics</code>
          </p>
        </Empty>
      )}
      <ul class="cards">
        {data.services.map((one) => (
          <li key={one.url} class={`card ${one.status}`}>
            <ProcessHealth of={one} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function ProcessHealth({ of }: { of: ServiceHealth }) {
  return (
    <>
      <header>
        <h2>
          <a href={to.service(of.service)}>
            <Service name={of.service} />
          </a>
        </h2>
        <State of={of.status} />
      </header>
      <p class="quiet facts">
        <Name text={of.instance} />
        {of.version && <Name text={of.version} />}
        {of.uptimeSeconds !== null && <span>up {uptime(of.uptimeSeconds)}</span>}
        {of.checkedAt !== null && <span>asked at {clock(of.checkedAt, false)}</span>}
      </p>
      {of.error && (
        <p class="bad">
          <Name text={of.error} title={false} />
        </p>
      )}
      {of.checks.length > 0 && (
        <table>
          <thead class="hidden">
            <tr>
              <th scope="col">Check</th>
              <th scope="col">Result</th>
              <th scope="col">Time taken</th>
              <th scope="col">Said</th>
            </tr>
          </thead>
          <tbody>
            {of.checks.map((check) => (
              <tr key={check.name}>
                <th scope="row">
                  <Name text={check.name} />
                </th>
                <td>
                  <State of={check.status} />
                </td>
                <td class="number">{duration(check.latencyMs)}</td>
                <td class="said">
                  <Ansi text={check.output} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
