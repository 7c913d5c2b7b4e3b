import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPOSE, ROOT, withReplacements } from '../support/compose.ts';
import { freePort } from '../support/free-port.ts';
import { type CollectorServer, needsCollector, startCollector } from '../support/servers/collector.ts';
import { type LokiServer, needsLoki, startLoki } from '../support/servers/loki.ts';
import { needsStackPrometheus, type StackPrometheus, startStackPrometheus } from '../support/servers/stack-prometheus.ts';
import { needsTempo, startTempo, type TempoServer } from '../support/servers/tempo.ts';

/** For a test's `skip` option. */
export const needsBackends: string | false = needsLoki || needsTempo || needsCollector || needsStackPrometheus;

/** The stack without its containers, Alertmanager and Grafana: each program with its file of `compose/`. */
export interface Backends extends AsyncDisposable {
  readonly prometheus: StackPrometheus;
  readonly loki: LokiServer;
  readonly tempo: TempoServer;
  readonly collector: CollectorServer;
  /** Folder in which apps leave their scrape addresses. */
  readonly targets: string;
}

/** Starts them, wired to one another as in the Compose file. */
export async function startBackends(): Promise<Backends> {
  const folder = mkdtempSync(join(tmpdir(), 'o11y-kit-stack-'));
  const targets = join(folder, 'targets');
  const rules = join(folder, 'rules');
  for (const each of [targets, rules]) mkdirSync(each);
  // Loki's one tenant.
  symlinkSync(join(ROOT, 'alerts/loki'), join(rules, 'fake'));
  const stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const port = await freePort();
    const nobody = 'http://127.0.0.1:9';
    const prometheusUrl = `http://127.0.0.1:${port}`;
    const loki = stack.use(await startLoki({ rules, alertmanager: nobody }));
    const tempo = stack.use(await startTempo({ remoteWrite: prometheusUrl }));
    const config = withReplacements(join(COMPOSE, 'prometheus/prometheus.yml'), {
      'scrape_interval: 15s': 'scrape_interval: 1s',
      'scrape_timeout: 10s': 'scrape_timeout: 1s',
      'refresh_interval: 5s': 'refresh_interval: 1s',
      '/var/run/o11y-kit/targets': targets,
      '/etc/o11y-kit/rules': join(ROOT, 'alerts/rules'),
      'host.docker.internal': 'localhost',
      'alertmanager:9093': '127.0.0.1:9',
      'loki:3100': new URL(loki.url).host,
      'tempo:3200': new URL(tempo.url).host,
    });
    const prometheus = stack.use(await startStackPrometheus({ config, port }));
    const collector = stack.use(await startCollector({ tempo: tempo.otlpGrpc, loki: loki.url, prometheus: prometheusUrl }));
    return { prometheus, loki, tempo, collector, targets, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Every span of a trace as Tempo returns it, with the name of its service. */
export function spansOf(trace: any): { service: string; name: string; attributes: Record<string, string> }[] {
  return (trace?.resourceSpans ?? []).flatMap(({ resource, scopeSpans }: any) =>
    scopeSpans.flatMap(({ spans }: any) =>
      spans.map((span: any) => ({
        service: attributesOf(resource.attributes)['service.name'],
        name: span.name,
        attributes: attributesOf(span.attributes),
      })),
    ),
  );
}

function attributesOf(list: { key: string; value: { stringValue?: string } }[] = []): Record<string, string> {
  return Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? String(Object.values(value)[0])]));
}
