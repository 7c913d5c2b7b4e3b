import { setTimeout as sleep } from 'node:timers/promises';
import { startViewer, type TestViewer } from '../../../viewer/testing.ts';
import { type Exit, type Service, startServices } from './service.ts';
import { runTraffic, type Sent } from './traffic.ts';
import { type Check, judge, passed } from './verdict.ts';

export interface RoundOptions {
  /** Requests that are sent. */
  readonly count: number;
  /** Requests a second. */
  readonly rate: number;
  readonly seed: number;
  /** Port of the receiver; 0 for a free one. */
  readonly port: number;
}

/** What a round came to. */
export interface Round {
  readonly sent: readonly Sent[];
  readonly checks: readonly Check[];
  readonly spans: number;
  readonly traces: number;
  readonly logs: number;
  readonly passed: boolean;
}

/** Milliseconds that telemetry may take to arrive after the last answer. */
const SETTLE_MS = 15_000;

/** One bounded round: start everything, send, wait for the telemetry of it, end everything, judge. */
export async function runRound(options: RoundOptions, say: (line: string) => void): Promise<Round> {
  const viewer = await startViewer({ port: options.port });
  let services: Service[] = [];
  try {
    services = await startServices(environment(viewer.url), options.seed);
    say(services.map(({ name, url }) => `${name} ${url}`).join('  '));
    say(`Sending ${options.count} requests, ${options.rate} a second …`);
    const sent: Sent[] = [];
    const { signal } = new AbortController();
    await runTraffic({ ...options, gateway: services[0].url, signal, onSent: (one) => sent.push(one) });
    say('Waiting for the rest of the telemetry …');
    const checks = await settle(sent, viewer);
    checks.push(ending(await Promise.all(services.map((service) => service.stop()))));
    return {
      sent,
      checks,
      spans: viewer.spans().length,
      traces: new Set(viewer.spans().map((span) => span.traceId)).size,
      logs: viewer.logs().length,
      passed: passed(checks),
    };
  } finally {
    await Promise.all(services.map((service) => service.stop()));
    await viewer.close();
  }
}

/** Judges again and again until all has arrived, or the time is up. */
async function settle(sent: readonly Sent[], viewer: TestViewer): Promise<Check[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const checks = judge({ sent, spans: viewer.spans(), logs: viewer.logs(), pages: await metricsPages(viewer) });
    if (passed(checks) || performance.now() > deadline) return checks;
    await sleep(250);
  }
}

/** The metrics page of each service, from where its own telemetry says that it is. */
async function metricsPages(viewer: TestViewer): Promise<Map<string, string>> {
  const urls = new Map(viewer.spans().map((span) => [span.service, span.resource['o11y.metrics.url']]));
  const pages = new Map<string, string>();
  for (const [service, url] of urls) {
    if (typeof url !== 'string') continue;
    const page = await fetch(url, { signal: AbortSignal.timeout(5000) }).then(
      (response) => response.text(),
      () => undefined,
    );
    if (page !== undefined) pages.set(service, page);
  }
  return pages;
}

/** The services end on SIGTERM by themselves, as they do without the preload. */
function ending(exits: readonly Exit[]): Check {
  const wrong = exits.filter(({ code }) => code !== 0).map(({ code, signal }) => `ended by ${signal ?? `exit code ${code}`}`);
  return {
    what: 'services that ended well on SIGTERM',
    seen: exits.length - wrong.length,
    expected: exits.length,
    missing: wrong,
  };
}

/** The round's numbers must not depend on telemetry settings of whoever runs it. */
function environment(endpoint: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(OTEL_|O11Y_|NODE_OPTIONS$)/.test(name));
  return { ...Object.fromEntries(kept), OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
}
