import type { CallRed, Overview, RedSeries, RouteRed, ServiceHealth, ServiceSummary, ServiceView, Target } from '../api-types.ts';
import type { Hub } from '../hub.ts';
import { lastMinutes, type Range, STEP_MS } from '../metrics/clock.ts';
import type { ServiceRed } from '../metrics/red-book.ts';
import { redNumbers, redSeries } from '../metrics/red-window.ts';
import type { ServiceRecord } from '../store/services.ts';
import { metricGroups } from './panels.ts';

/** What the scraper knows. */
export interface Scraped {
  targets: Target[];
  health: ServiceHealth[];
}

/** All services with their rate, errors and durations over the last minutes. */
export function overview(hub: Hub, scraped: Scraped, minutes: number, now = Date.now()): Overview {
  const range = lastMinutes(minutes, now);
  const services = [...hub.services.values()].map((one) => summaryOf(hub, scraped, one, range, now));
  services.sort((a, b) => (a.service < b.service ? -1 : 1));
  return { now, services, dropped: hub.dropped() };
}

/** Everything of one service; undefined if nothing ever came from it. */
export function serviceView(
  hub: Hub,
  scraped: Scraped,
  name: string,
  minutes: number,
  now = Date.now(),
): ServiceView | undefined {
  const record = hub.services.get(name);
  if (record === undefined) return undefined;
  const range = lastMinutes(minutes, now);
  const red = hub.red.get(name);
  const families = hub.metrics.families(name);
  return {
    now,
    summary: summaryOf(hub, scraped, record, range, now),
    source: red?.source(now) ?? 'spans',
    routes: red ? routesOf(hub, red, range, now) : [],
    moreRoutes: red?.routes.more.size ?? 0,
    calls: red ? callsOf(red, range, now) : [],
    groups: metricGroups(families, range),
    metrics: [...families.values()]
      .map(({ name, type, help, series }) => ({ name, type, help, series: series.size }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    targets: scraped.targets.filter((target) => target.service === name),
    resource: record.resource,
  };
}

function summaryOf(hub: Hub, scraped: Scraped, record: ServiceRecord, range: Range, now: number): ServiceSummary {
  const { name, version, lastSeen, instances, spans, logs } = record;
  const red = hub.red.get(name);
  const windows = [...(red?.routes.entries.values() ?? [])].map((entry) => entry.window);
  const seconds = observedSeconds(red, range, now);
  const errorLogs = record.errorLogs.read(range).reduce<number>((sum, count) => sum + (count ?? 0), 0);
  return {
    service: name,
    version,
    lastSeen,
    total: redNumbers(windows, range, seconds),
    red: openable(hub, redSeries(windows, range, knownSlots(red, range, now), knownUntil(red, now))),
    health: worst(scraped.health.filter((health) => health.service === name)),
    instances: instances.size,
    spans,
    logs,
    errorLogs,
  };
}

function routesOf(hub: Hub, red: ServiceRed, range: Range, now: number): RouteRed[] {
  const known = knownSlots(red, range, now);
  const seconds = observedSeconds(red, range, now);
  const routes = [...red.routes.entries.values()].map(({ key, window }) => ({
    method: key.method,
    route: key.route,
    total: redNumbers([window], range, seconds),
    red: openable(hub, redSeries([window], range, known, knownUntil(red, now))),
  }));
  const busy = ({ total }: RouteRed) => total.count * (total.p50 ?? 0);
  return routes.filter(({ total }) => total.count > 0).sort((a, b) => busy(b) - busy(a) || b.total.count - a.total.count);
}

function callsOf(red: ServiceRed, range: Range, now: number): CallRed[] {
  const seconds = observedSeconds(red, range, now);
  return [...red.calls.entries.values()]
    .map(({ key, window }) => ({ kind: key.kind, name: key.name, total: redNumbers([window], range, seconds) }))
    .filter(({ total }) => total.count > 0)
    .sort((a, b) => b.total.count - a.total.count);
}

/** The part of the range since the service was first heard from: the rate is by that. */
export function observedSeconds(red: ServiceRed | undefined, { first, count }: Range, now: number): number {
  const from = Math.max(first, Math.min(red?.firstSlot ?? first, first + count - 1)) * STEP_MS;
  return Math.max(1, (now - from) / 1000);
}

/** Slots of which "no request" is known, and not only nothing. */
function knownSlots(red: ServiceRed | undefined, range: Range, now: number): (slot: number) => boolean {
  if (red === undefined) return () => false;
  if (red.source(now) === 'spans') return (slot) => slot >= red.firstSlot;
  const scraped = red.scraped.read(range);
  return (slot) => scraped[slot - range.first] !== null;
}

/** Spans tell of a request at once, metrics at the next scrape. */
function knownUntil(red: ServiceRed | undefined, now: number): number {
  return red?.source(now) === 'metrics' ? red.routes.metricsAt : now;
}

/** Leaves exemplars whose trace can be opened. */
function openable(hub: Hub, red: RedSeries): RedSeries {
  return { ...red, exemplars: red.exemplars.filter(({ traceId }) => hub.traces.get(traceId) !== undefined) };
}

function worst(health: ServiceHealth[]): ServiceSummary['health'] {
  const all = new Set(health.map(({ status }) => status));
  if (all.has('fail') || all.has('unreachable')) return 'fail';
  if (all.has('warn')) return 'warn';
  return all.has('pass') ? 'pass' : null;
}
