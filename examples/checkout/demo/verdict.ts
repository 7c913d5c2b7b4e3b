import type { LogRecord, Span } from '../../../viewer/testing.ts';
import type { Sent } from './traffic.ts';

/** One thing that the round was to show. */
export interface Check {
  readonly what: string;
  readonly seen: number;
  readonly expected: number;
  /** The first few things that are missing. */
  readonly missing: readonly string[];
}

export interface Evidence {
  readonly sent: readonly Sent[];
  readonly spans: readonly Span[];
  readonly logs: readonly LogRecord[];
  /** The metrics page of each service, by its name. */
  readonly pages: ReadonlyMap<string, string>;
}

const SERVICES = ['gateway', 'orders', 'payments'] as const;

/** Compares what was sent with the telemetry of it. The round passes if each check saw all that it expected. */
export function judge({ sent, spans, logs, pages }: Evidence): Check[] {
  const traces = new Map(sent.map((one) => [one, findChain(one, spans)]));
  const through = sent.filter((one) => one.step.services.length === SERVICES.length);
  return [
    each('requests answered as they should be', sent, (one) => {
      return one.step.statuses.includes(one.status) ? '' : `${label(one)} answered ${one.status || 'nothing'}`;
    }),
    each('answers with a correlation id (kept where the client sent one)', sent, (one) => {
      if (!one.correlationId) return `${label(one)} carried none`;
      return one.sentId && one.sentId !== one.correlationId ? `${label(one)}: ${one.sentId} became ${one.correlationId}` : '';
    }),
    each('requests with a complete trace, each span under its right parent', sent, (one) => {
      const chain = traces.get(one)!;
      return typeof chain === 'string' ? `${label(one)}: ${chain}` : '';
    }),
    each('of these, traces across all three services', through, (one) => {
      const chain = traces.get(one)!;
      return typeof chain === 'string' ? `${label(one)}: ${chain}` : '';
    }),
    each('requests with log lines of every service they passed, same correlation and trace id', sent, (one) => {
      return missingLogs(one, traces.get(one)!, logs);
    }),
    ...SERVICES.map((service) => counted(service, sent, pages.get(service))),
    nothingDropped(pages),
  ];
}

export function passed(checks: readonly Check[]): boolean {
  return checks.every((check) => check.seen === check.expected);
}

function each(what: string, sent: readonly Sent[], fault: (one: Sent) => string): Check {
  const missing = sent.map(fault).filter(Boolean);
  return { what, seen: sent.length - missing.length, expected: sent.length, missing: missing.slice(0, 3) };
}

function label({ step, path }: Sent): string {
  return `${step.method} ${path}`;
}

/**
 * The server spans of a request from the gateway inwards, where each is the child of a client span that is the child of
 * the one before; or what is wrong with them.
 */
function findChain({ step, correlationId }: Sent, spans: readonly Span[]): Span[] | string {
  const own = spans.filter((span) => span.attributes['correlation.id'] === correlationId);
  const name = step.route ? `${step.method} ${step.route}` : step.method;
  const chain: Span[] = [];
  for (const service of step.services) {
    const servers = own.filter((span) => span.service === service && span.kind === 'server');
    if (servers.length !== 1) return `${servers.length} server spans of ${service}`;
    const [server] = servers;
    const caller = chain.at(-1);
    if (!caller) {
      if (server.parentSpanId) return `the gateway's span has a parent, ${server.parentSpanId}`;
      if (server.name !== name) return `the gateway's span is named "${server.name}", not "${name}"`;
    } else {
      const client = own.find((span) => span.spanId === server.parentSpanId);
      if (client?.kind !== 'client') return `the parent of ${service}'s span is no client span`;
      if (client.service !== caller.service || client.parentSpanId !== caller.spanId || client.traceId !== caller.traceId) {
        return `the call of ${service} is not under ${caller.service}'s span`;
      }
    }
    chain.push(server);
  }
  return chain;
}

function missingLogs(one: Sent, chain: Span[] | string, logs: readonly LogRecord[]): string {
  if (typeof chain === 'string') return `${label(one)}: ${chain}`;
  const { traceId } = chain[0];
  const own = logs.filter((log) => log.attributes.correlation_id === one.correlationId && log.traceId === traceId);
  const silent = one.step.services.filter((service) => !own.some((log) => log.service === service));
  return silent.length === 0 ? '' : `${label(one)}: no line of ${silent.join(', ')}`;
}

function counted(service: (typeof SERVICES)[number], sent: readonly Sent[], page: string | undefined): Check {
  const expected = sent.filter((one) => one.step.services.includes(service)).length;
  const seen = page === undefined ? 0 : total(page, 'http_server_request_duration_seconds_count');
  const missing = page === undefined ? [`its metrics page was not found`] : [];
  return { what: `requests counted by the metrics of ${service}`, seen, expected, missing };
}

function nothingDropped(pages: ReadonlyMap<string, string>): Check {
  const seen = [...pages.values()].reduce((sum, page) => sum + total(page, 'o11y_dropped_total'), 0);
  return { what: 'spans and log records dropped', seen, expected: 0, missing: [] };
}

/** Sum of all series of a name on a metrics page (Prometheus text format, which has no exemplars). */
function total(page: string, name: string): number {
  const series = new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'gm');
  return [...page.matchAll(series)].reduce((sum, [, value]) => sum + Number(value), 0);
}
