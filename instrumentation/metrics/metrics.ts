import type { Config } from '../config.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';
import type { ExportStats } from '../export/stats.ts';
import type { MetricDefinition } from '../names.ts';
import type { Resource } from '../resource.ts';
import { AppCollect } from './app-collect.ts';
import { Collectors } from './collectors.ts';
import { ForeignRegistries } from './foreign.ts';
import { createMeterProvider } from './otel-bridge.ts';
import { Pages } from './page.ts';
import { createPush } from './push.ts';
import { KitRegistry } from './registry.ts';
import { startRuntime } from './runtime/index.ts';
import { exportMetrics } from './self.ts';
import { Sources } from './sources.ts';
import { targetInfo } from './target-info.ts';
import type { Metrics } from './types.ts';
import { createUserMetrics } from './user.ts';

export type * from './types.ts';

export interface MetricsDependencies {
  readonly config: Config;
  readonly diagnostics: Diagnostics;
  readonly stats: ExportStats;
  readonly resource: Pick<Resource, 'attributes'>;
  /** The built file of push-worker.ts; without it nothing is pushed. */
  readonly pushWorker?: string;
}

/** The metrics of this process: one registry, one page. */
export function createMetrics({ config, diagnostics, stats, resource, pushWorker }: MetricsDependencies): Metrics {
  const registry = new KitRegistry(config.maxSeries, diagnostics);
  const collectors = new Collectors(diagnostics);
  const foreign = new ForeignRegistries(registry.prom);
  const sources = new Sources(registry, foreign, diagnostics);
  const pages = new Pages(registry, collectors, sources, new AppCollect(diagnostics));
  const self = exportMetrics(registry, stats);
  targetInfo(registry, resource.attributes);
  const push =
    pushWorker !== undefined && config.metricsExporter.includes('otlp')
      ? createPush({ config, diagnostics, resource, registry, worker: pushWorker, families: () => pages.families() })
      : undefined;

  /** The kit itself must go on where the app has taken one of its names for something else. */
  function own<T>(definition: MetricDefinition, make: (from: KitRegistry) => T): T {
    try {
      return make(registry);
    } catch (error) {
      diagnostics.warn(`O11Y_METRIC: the kit's ${definition.name} is not shown: ${reason(error)}.`);
      return make(new KitRegistry(config.maxSeries, diagnostics));
    }
  }

  return {
    counter: (definition) => own(definition, (from) => from.counter(definition)),
    gauge: (definition) => own(definition, (from) => from.gauge(definition)),
    histogram: (definition) => own(definition, (from) => from.histogram(definition)),
    onScrape: (collector, fn) => collectors.add(collector, fn),
    meterProvider: createMeterProvider(registry, collectors, diagnostics, config.maxSeries),
    adopt: (promClient) => foreign.adopt(promClient),
    page: (accept) => pages.page(accept),
    snapshot: () => pages.snapshot(),
    user: createUserMetrics(registry, diagnostics),
    flush: (timeoutMs) => push?.flush(timeoutMs) ?? Promise.resolve(),
    start() {
      const stops = [() => foreign.release()];
      // Nobody reads them: what costs something by itself is not begun.
      if (!config.metricsExporter.includes('none')) {
        stops.push(self.start(), collectors.add('export', self.collect), startRuntime(registry, collectors, diagnostics));
      }
      if (push !== undefined) stops.push(push.start());
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
