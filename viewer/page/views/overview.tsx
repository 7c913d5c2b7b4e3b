/** All services at a glance: rate, errors, durations; who calls whom; the slowest requests. */
import { useState } from 'preact/hooks';
import type { ExemplarPoint, Overview, ServiceSummary } from '../../api-types.ts';
import { address, useData } from '../api.ts';
import { ago, clock, duration, percent, quantity, whole } from '../format.ts';
import { moveFocus, useKeys } from '../keys.ts';
import { cut, firstKnown } from '../known.ts';
import { go, to } from '../router.ts';
import { Failed, Name, Service, State } from '../ui/basic.tsx';
import { LatencySpark, Spark } from '../ui/spark.tsx';
import { MapView } from './map.tsx';
import { NothingYet } from './nothing-yet.tsx';

export const WINDOWS = [5, 15, 30];

export function OverviewView() {
  const [minutes, setMinutes] = useState(15);
  const { data, error } = useData<Overview>(address('overview', { minutes }), { when: () => true, every: 1000 });
  useKeys('Overview', [
    { keys: ['j', 'ArrowDown'], does: 'next service', run: () => moveFocus('.services .open', 1) },
    { keys: ['k', 'ArrowUp'], does: 'service before', run: () => moveFocus('.services .open', -1) },
    {
      keys: ['s'],
      does: 'open the slowest request',
      run: () => document.querySelector<HTMLAnchorElement>('.slowest a')?.click(),
    },
  ]);
  if (data === null) return error ? <Failed error={error} /> : <p class="quiet wait">Loading …</p>;
  if (data.services.length === 0) return <NothingYet only />;
  const start = firstKnown(data.services.map(({ red }) => red.rate));
  return (
    <div class="page">
      <header class="head">
        <h1>Services</h1>
        <Window minutes={minutes} onChange={setMinutes} />
      </header>
      {error && <Failed error={error} />}
      <ul class="services">
        {data.services.map((service) => (
          <ServiceRow key={service.service} of={service} now={data.now} start={start} />
        ))}
      </ul>
      <div class="halves">
        <section aria-labelledby="map-title">
          <h2 id="map-title">Who calls whom</h2>
          <MapView minutes={minutes} />
        </section>
        <Slowest services={data.services} />
      </div>
    </div>
  );
}

export function Window({ minutes, onChange }: { minutes: number; onChange(minutes: number): void }) {
  return (
    <fieldset class="segments">
      <legend class="hidden">Time shown</legend>
      {WINDOWS.map((value) => (
        <label key={value}>
          <input type="radio" name="window" value={value} checked={minutes === value} onChange={() => onChange(value)} />
          <span>{value} min</span>
        </label>
      ))}
    </fieldset>
  );
}

function ServiceRow({ of, now, start }: { of: ServiceSummary; now: number; start: number }) {
  const { service, total } = of;
  const red = cut(of.red, start);
  const href = to.service(service);
  const failing = total.errors > 0;
  return (
    // The whole row is a target for the pointer; the link in it is the one for the keyboard.
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <li class="row" onClick={(event) => (event.target as Element).closest('a') || go(href)}>
      <div class="who">
        <a class="open" href={href}>
          <Service name={service} />
        </a>
        <p class="quiet">
          {of.health && of.health !== 'pass' && <State of={of.health} label={`health ${of.health}`} />}
          {of.version && <Name text={of.version} />}
          <span>{of.instances > 1 ? `${of.instances} processes` : ago(of.lastSeen, now)}</span>
          {of.errorLogs > 0 && (
            <a class="bad" href={to.logs({ service, level: 'error' })}>
              {whole(of.errorLogs)} error {of.errorLogs === 1 ? 'line' : 'lines'}
            </a>
          )}
        </p>
      </div>
      <div class="figure">
        <p>
          <b>{quantity(total.rate)}</b> <small>req/s</small>
        </p>
        <Spark label={`Requests a second of ${service}`} lines={[{ values: red.rate, class: 'rate', area: true }]} />
      </div>
      <div class="figure">
        <p class={failing ? 'bad' : ''}>
          <b>{percent(total.errorRatio)}</b> <small>{failing ? `errors (${whole(total.errors)})` : 'errors'}</small>
        </p>
        <Spark
          label={`Failed requests a second of ${service}`}
          lines={[{ values: red.errors, class: 'errors', area: true }]}
          least={0.02}
        />
      </div>
      <div class="figure wide">
        <p>
          <small>p50</small> <b>{duration(total.p50)}</b> <small>p95</small> <b>{duration(total.p95)}</b> <small>p99</small>{' '}
          <b>{duration(total.p99)}</b>
        </p>
        <LatencySpark
          label={`Durations of ${service}: half, 95 % and 99 % of requests are faster`}
          from={red.from}
          stepMs={red.stepMs}
          exemplars={red.exemplars}
          lines={[
            { values: red.p99, class: 'p99' },
            { values: red.p95, class: 'p95' },
            { values: red.p50, class: 'p50' },
          ]}
        />
      </div>
    </li>
  );
}

function Slowest({ services }: { services: ServiceSummary[] }) {
  const all = services.flatMap(({ service, red }) => red.exemplars.map((point) => ({ service, ...point })));
  const slowest = oneATrace(all).slice(0, 8);
  const top = slowest[0]?.durationMs || 1;
  return (
    <section class="slowest" aria-labelledby="slowest-title">
      <h2 id="slowest-title">Slowest requests</h2>
      {slowest.length === 0 && <p class="quiet">None sampled in this time.</p>}
      <ol>
        {slowest.map((point) => (
          <li key={point.traceId}>
            <a href={to.trace(point.traceId, point.spanId)}>
              <time>{clock(point.at, false)}</time>
              <Service name={point.service} />
              <span class="bar">
                <i class={point.error ? 'error' : ''} style={{ width: `${(point.durationMs / top) * 100}%` }} />
              </span>
              {point.error ? <State of="error" label="failed" /> : <span />}
              <b>{duration(point.durationMs)}</b>
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The slowest part of each trace, the slowest first. */
function oneATrace<T extends ExemplarPoint>(points: T[]): T[] {
  const seen = new Set<string>();
  return points.sort((a, b) => b.durationMs - a.durationMs).filter(({ traceId }) => !seen.has(traceId) && seen.add(traceId));
}
