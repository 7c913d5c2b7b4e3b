import { METRICS_URL } from '../../instrumentation/names.ts';
import { parseText } from '../metrics/text.ts';
import type { Attributes } from '../model.ts';
import { overLoopback } from '../receive/loopback.ts';
import { getPage } from '../scrape/get.ts';
import { type MetricValue, scrapedValues } from './metric-values.ts';

const POLL_MS = 100;
const MAX_PAGES = 100;
const ACCEPT = 'application/openmetrics-text; version=1.0.0, text/plain; version=0.0.4; q=0.5';

/** The metrics pages that processes announce with their telemetry. */
export class MetricsPages {
  readonly #known = new Set<string>();
  /** By the address at which a page is fetched. */
  readonly #services = new Map<string, string>();
  readonly #failures = new Map<string, string>();
  readonly #read: (values: MetricValue[], url: string) => void;

  constructor(read: (values: MetricValue[], url: string) => void) {
    this.#read = read;
  }

  /** Pages that could not be read, and why. */
  get failures(): string[] {
    return [...this.#failures].map(([url, why]) => `${url}: ${why}`);
  }

  announce(resource: Attributes, service: string): void {
    const url = resource[METRICS_URL];
    if (typeof url !== 'string' || this.#known.has(url) || this.#known.size >= MAX_PAGES) return;
    this.#known.add(url);
    const at = overLoopback(url);
    if (at !== undefined) this.#services.set(at, service);
  }

  /** Reads every page once. Never throws: a process may have ended since. */
  async scrape(): Promise<void> {
    await Promise.all(
      [...this.#services].map(async ([url, service]) => {
        try {
          const { status, body } = await getPage(url, ACCEPT, true);
          if (status !== 200) throw new Error(`status ${status}`);
          this.#failures.delete(url);
          this.#read(scrapedValues(parseText(body), service), url);
        } catch (error) {
          this.#failures.set(url, (error as Error).message);
        }
      }),
    );
  }

  /** Reads them again and again. @returns ends that */
  keepScraping(): () => void {
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    const round = async () => {
      await this.scrape();
      if (!ended) timer = setTimeout(round, POLL_MS);
      timer?.unref();
    };
    void round();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }

  clear(): void {
    this.#known.clear();
    this.#services.clear();
    this.#failures.clear();
  }
}
