import type { HealthView, LogLevel, LogQuery, Status, TraceQuery } from '../api-types.ts';
import type { Hub } from '../hub.ts';
import { lastMinutes } from '../metrics/clock.ts';
import { listLogs } from '../query/logs.ts';
import { serviceMap } from '../query/map.ts';
import { metricView } from '../query/panels.ts';
import { overview, serviceView } from '../query/services.ts';
import { viewSpan, viewTrace } from '../query/trace.ts';
import { listTraces } from '../query/traces.ts';
import { HttpError } from '../receive/http-error.ts';
import type { Scraper } from '../scrape/scraper.ts';

/** What the API reads from. */
export interface ApiContext {
  hub: Hub;
  scraper: Pick<Scraper, 'targets' | 'health'>;
  version: string;
}

type Handler = (context: ApiContext, query: URLSearchParams) => unknown;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** Every path of the JSON API that is read; see api-types.ts. */
export const API: Readonly<Record<string, Handler>> = {
  '/api/status': ({ hub, scraper, version }): Status => ({
    version,
    startedAt: hub.startedAt,
    now: Date.now(),
    storage: hub.storage(),
    dropped: hub.dropped(),
    targets: scraper.targets,
  }),

  '/api/overview': ({ hub, scraper }, query) => overview(hub, scraper, minutesOf(query)),

  '/api/service': ({ hub, scraper }, query) => {
    const name = required(query, 'name');
    return serviceView(hub, scraper, name, minutesOf(query)) ?? missing(`nothing came from a service "${name}"`);
  },

  '/api/series': ({ hub }, query) => {
    const name = required(query, 'name');
    const range = lastMinutes(minutesOf(query), Date.now());
    const service = required(query, 'service');
    return metricView(hub.metrics.families(service), name, range) ?? missing(`"${service}" has no metric "${name}"`);
  },

  '/api/map': ({ hub }, query) => serviceMap(hub, minutesOf(query)),

  '/api/traces': ({ hub }, query) => listTraces(hub.traces, hub.logs, traceQuery(query)),

  '/api/trace': ({ hub }, query) => {
    const id = required(query, 'id').toLowerCase();
    return viewTrace(hub.traces, hub.logs, id) ?? missing(`nothing of trace ${id} has arrived`);
  },

  '/api/span': ({ hub }, query) => {
    const trace = required(query, 'trace').toLowerCase();
    const span = required(query, 'span').toLowerCase();
    const twin = Number(query.get('row') ?? 0);
    return viewSpan(hub.traces, hub.logs, trace, span, twin) ?? missing(`span ${span} of trace ${trace} is not here`);
  },

  '/api/logs': ({ hub }, query) => listLogs(hub.logs, hub.traces, logQuery(query)),

  '/api/health': ({ scraper }): HealthView => ({ services: scraper.health }),
};

function traceQuery(query: URLSearchParams): TraceQuery {
  const status = query.get('status') || undefined;
  if (status !== undefined && status !== 'error' && status !== 'ok') {
    throw new HttpError(400, `status: error or ok, not "${status}"`);
  }
  return {
    ...texts(query, 'service', 'name', 'correlation', 'text', 'before', 'after'),
    ...numbers(query),
    status,
    attr: query.getAll('attr').filter((one) => one !== ''),
  };
}

function logQuery(query: URLSearchParams): LogQuery {
  const level = query.get('level') || undefined;
  if (level !== undefined && !LEVELS.includes(level)) {
    throw new HttpError(400, `level: one of ${LEVELS.join(', ')}, not "${level}"`);
  }
  return {
    ...texts(query, 'service', 'text', 'correlation', 'trace', 'span', 'before', 'after'),
    ...numbers(query),
    level: level as LogLevel | undefined,
    field: query.getAll('field').filter((one) => one !== ''),
  };
}

function texts(query: URLSearchParams, ...names: string[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of names) {
    const value = query.get(name)?.trim();
    if (value) out[name] = value;
  }
  return out;
}

function numbers(query: URLSearchParams): Record<string, number> {
  const out: Record<string, number> = {};
  for (const name of ['minMs', 'maxMs', 'limit']) {
    const value = query.get(name);
    if (value === null || value === '') continue;
    if (!(Number(value) >= 0)) throw new HttpError(400, `${name}: a number from 0 on, not "${value}"`);
    out[name] = Number(value);
  }
  return out;
}

function minutesOf(query: URLSearchParams): number {
  const minutes = Number(query.get('minutes') || 15);
  if (!(minutes >= 1 && minutes <= 30)) throw new HttpError(400, 'minutes: from 1 to 30');
  return minutes;
}

function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (!value) throw new HttpError(400, `${name} is missing`);
  return value;
}

function missing(message: string): never {
  throw new HttpError(404, message);
}
