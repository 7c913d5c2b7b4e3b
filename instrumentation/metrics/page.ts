import { METRICS } from '../names.ts';
import type { AppCollect, AppRound } from './app-collect.ts';
import type { Collectors } from './collectors.ts';
import { readDirectly } from './families.ts';
import { Slice } from './pause.ts';
import type { KitRegistry } from './registry.ts';
import { toPage } from './render.ts';
import type { PageSource, Sources } from './sources.ts';
import type { Family, Page, Sample, Snapshot } from './types.ts';

/** The collector that stands for the app's own metrics in `o11y_collector_success`. */
const APP = 'app';

/** Reads the kit's registry and those of the app as one. */
export class Pages {
  readonly #registry: KitRegistry;
  readonly #collectors: Collectors;
  readonly #sources: Sources;
  readonly #app: AppCollect;

  constructor(registry: KitRegistry, collectors: Collectors, sources: Sources, app: AppCollect) {
    this.#registry = registry;
    this.#collectors = collectors;
    this.#sources = sources;
    this.#app = app;
  }

  async page(accept?: string): Promise<Page> {
    return toPage(await this.families(), accept);
  }

  async snapshot(): Promise<Snapshot> {
    const slice = new Slice();
    const families = [];
    for (const family of await this.families()) {
      const samples = [];
      for (const sample of family.samples) {
        samples.push(copy(sample));
        if (slice.over()) await slice.pause();
      }
      families.push({ ...family, samples });
    }
    return { families };
  }

  /** Collects, then reads metric by metric as the result is iterated, sorted by name. */
  async families(): Promise<Iterable<Family>> {
    const sources = this.#sources.list();
    const [results, app] = await Promise.all([this.#collectors.run(), this.#app.run(sources)]);
    const success = this.#registry.gauge(METRICS.collectorSuccess);
    for (const [collector, worked] of results) success.set({ collector }, worked ? 1 : 0);
    if (sources.some((source) => source.foreign)) success.set({ collector: APP }, app.failed.size === 0 ? 1 : 0);
    // Asked again, because a collector may have made a metric.
    return read(this.#sources.list(), app);
  }
}

function* read(sources: PageSource[], { failed, read: known }: AppRound): Generator<Family> {
  sources.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const source of sources) {
    if (failed.has(source.metric)) continue;
    const family = known.get(source.metric) ?? readDirectly(source);
    if (family !== undefined) yield family;
  }
}

/** Exemplars of the kit are changed in place. */
function copy(sample: Sample): Sample {
  if (!('buckets' in sample) || sample.exemplars === undefined) return sample;
  const exemplars = sample.exemplars.map((exemplar) => exemplar && { ...exemplar, labelSet: { ...exemplar.labelSet } });
  return { ...sample, exemplars };
}
