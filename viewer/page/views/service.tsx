/** One service: its requests over time, by route, what it calls, and its runtime. */
import { useState } from 'preact/hooks';
import type { CallRed, RedSeries, RouteRed, ServiceView } from '../../api-types.ts';
import { address, useData } from '../api.ts';
import { ago, duration, percent, plural, quantity, whole } from '../format.ts';
import { moveFocus, useKeys } from '../keys.ts';
import { cut, firstKnown } from '../known.ts';
import { go, to } from '../router.ts';
import { Attributes, Failed, Name, Service, State } from '../ui/basic.tsx';
import { Chart } from '../ui/chart.tsx';
import { LatencySpark, Spark } from '../ui/spark.tsx';
import { Window } from './overview.tsx';
import { Metrics, Panels } from './panels.tsx';

export function ServiceDetails({ name, query }: { name: string; query: URLSearchParams }) {
  const [minutes, setMinutes] = useState(15);
  const { data, error } = useData<ServiceView>(address('service', { name, minutes }), { when: () => true, every: 2000 });
  const picked = query.get('route');
  const pick = (route: RouteRed) => {
    const key = routeKey(route);
    go(to.service(name, key === picked ? {} : { route: key }), { replace: true });
  };
  useKeys('Service', [
    { keys: ['j', 'ArrowDown'], does: 'next route', run: () => moveFocus('.routes button', 1) },
    { keys: ['k', 'ArrowUp'], does: 'route before', run: () => moveFocus('.routes button', -1) },
    { keys: ['Escape'], does: 'back to all services', run: () => go(to.overview()) },
  ]);
  if (data === null) return error ? <Failed error={error} /> : <p class="quiet wait">Loading …</p>;
  const route = data.routes.find((one) => routeKey(one) === picked);
  const start = firstKnown([data.summary.red.rate, ...data.routes.map(({ red }) => red.rate)]);
  const red = cut(route?.red ?? data.summary.red, start);
  return (
    <div class="page">
      <header class="head">
        <p class="crumbs">
          <a href={to.overview()}>Services</a> <span aria-hidden="true">/</span>
        </p>
        <h1>
          <Service name={name} />
        </h1>
        <p class="quiet facts">
          {data.summary.version && <Name text={data.summary.version} />}
          {data.summary.health && (
            <a href={to.health()}>
              <State of={data.summary.health} label={`health ${data.summary.health}`} />
            </a>
          )}
          <span>last heard of {ago(data.summary.lastSeen, data.now)}</span>
          <span title="Metrics count every request; spans only those that were sampled and sent.">
            counted from {data.source}
          </span>
          <a href={to.traces({ service: name })}>Traces</a>
          <a href={to.logs({ service: name })}>Logs</a>
        </p>
        <Window minutes={minutes} onChange={setMinutes} />
      </header>
      {error && <Failed error={error} />}
      <RedCharts red={red} title={route ? routeName(route) : ''} />
      <section aria-labelledby="routes-title">
        <h2 id="routes-title">Routes</h2>
        <Routes routes={data.routes} start={start} picked={picked} onPick={pick} service={name} />
        {data.moreRoutes > 0 && <p class="quiet">{plural(data.moreRoutes, 'more route')} not kept apart.</p>}
      </section>
      {data.calls.length > 0 && <Calls calls={data.calls} />}
      <Panels groups={data.groups} />
      <Metrics service={name} metrics={data.metrics} minutes={minutes} />
      <details class="block">
        <summary>Resource and targets</summary>
        <Attributes of={data.resource} />
        {data.targets.map((target) => (
          <p class="quiet" key={target.url}>
            <State of={target.state === 'up' ? 'ok' : target.state === 'new' ? 'unknown' : 'error'} label={target.state} />{' '}
            <Name text={target.url} /> {whole(target.series)} series <Name text={target.error} />
          </p>
        ))}
      </details>
    </div>
  );
}

function RedCharts({ red, title }: { red: RedSeries; title: string }) {
  const common = { from: red.from, stepMs: red.stepMs, height: 150 };
  const of = title && ` of ${title}`;
  return (
    <div class="charts three">
      <section>
        <h2>Requests a second</h2>
        <Chart
          {...common}
          label={`Requests a second${of}`}
          format={quantity}
          lines={[{ label: 'requests', values: red.rate, colour: '--accent', area: true }]}
        />
      </section>
      <section>
        <h2>Failed a second</h2>
        <Chart
          {...common}
          label={`Failed requests a second${of}`}
          format={quantity}
          lines={[{ label: 'failed', values: red.errors, colour: '--error', area: true }]}
        />
      </section>
      <section>
        <h2>Duration</h2>
        <Chart
          {...common}
          label={`Duration${of}`}
          format={duration}
          exemplars={red.exemplars}
          lines={[
            { label: 'p99', values: red.p99, colour: '--p99' },
            { label: 'p95', values: red.p95, colour: '--p95' },
            { label: 'p50', values: red.p50, colour: '--p50' },
          ]}
        />
      </section>
    </div>
  );
}

function Routes({
  routes,
  picked,
  onPick,
  service,
  start,
}: {
  routes: RouteRed[];
  start: number;
  picked: string | null;
  onPick(route: RouteRed): void;
  service: string;
}) {
  if (routes.length === 0) return <p class="quiet">No requests in this time.</p>;
  return (
    <div class="scroll">
      <table class="routes">
        <thead>
          <tr>
            <th scope="col">Route</th>
            <th scope="col" class="number">
              req/s
            </th>
            <th scope="col" class="spark-cell">
              <span class="hidden">Requests over time</span>
            </th>
            <th scope="col" class="number">
              errors
            </th>
            <th scope="col" class="number">
              p50
            </th>
            <th scope="col" class="number">
              p95
            </th>
            <th scope="col" class="number">
              p99
            </th>
            <th scope="col" class="spark-cell">
              <span class="hidden">Durations over time</span>
            </th>
            <th scope="col">
              <span class="hidden">Traces</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {routes.map((route) => {
            const key = routeKey(route);
            const red = cut(route.red, start);
            return (
              <tr key={key} class={key === picked ? 'picked' : ''}>
                <th scope="row">
                  <button type="button" class="plain" aria-pressed={key === picked} onClick={() => onPick(route)}>
                    <span class="method">{route.method}</span> <Name text={route.route || '(no route)'} />
                  </button>
                </th>
                <td class="number">{quantity(route.total.rate)}</td>
                <td class="spark-cell">
                  <Spark label={`Requests a second of ${key}`} lines={[{ values: red.rate, class: 'rate', area: true }]} />
                </td>
                <td class={route.total.errors > 0 ? 'number bad' : 'number'}>
                  {route.total.errors > 0 && '✕ '}
                  {percent(route.total.errorRatio)}
                </td>
                <td class="number">{duration(route.total.p50)}</td>
                <td class="number">{duration(route.total.p95)}</td>
                <td class="number">{duration(route.total.p99)}</td>
                <td class="spark-cell">
                  <LatencySpark
                    label={`95 % of ${key} are faster`}
                    from={red.from}
                    stepMs={red.stepMs}
                    exemplars={red.exemplars}
                    lines={[{ values: red.p95, class: 'p95' }]}
                  />
                </td>
                <td>
                  <a href={to.traces({ service, name: route.route || route.method })} aria-label={`traces of ${key}`}>
                    traces
                  </a>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Calls({ calls }: { calls: CallRed[] }) {
  return (
    <section aria-labelledby="calls-title">
      <h2 id="calls-title">Calls</h2>
      <div class="scroll">
        <table class="calls">
          <thead>
            <tr>
              {['To', 'Kind', 'calls/s', 'count', 'errors', 'p50', 'p95', 'p99'].map((title, at) => (
                <th key={title} scope="col" class={at > 1 ? 'number' : ''}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {calls.map(({ kind, name, total }) => (
              <tr key={`${kind} ${name}`}>
                <th scope="row">
                  <Name text={name} />
                </th>
                <td class="quiet">{kind}</td>
                <td class="number">{quantity(total.rate)}</td>
                <td class="number">{whole(total.count)}</td>
                <td class={total.errors > 0 ? 'number bad' : 'number'}>{percent(total.errorRatio)}</td>
                <td class="number">{duration(total.p50)}</td>
                <td class="number">{duration(total.p95)}</td>
                <td class="number">{duration(total.p99)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function routeKey(route: RouteRed): string {
  return `${route.method} ${route.route}`.trim();
}

function routeName(route: RouteRed): string {
  return routeKey(route) || '(no route)';
}
