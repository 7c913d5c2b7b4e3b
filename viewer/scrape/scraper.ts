import type { ServiceHealth, Target } from '../api-types.ts';
import type { Family } from '../metrics/family.ts';
import type { Reading } from '../metrics/metric-store.ts';
import { parseText } from '../metrics/text.ts';
import { overLoopback } from '../receive/loopback.ts';
import { closeIdle, getPage } from './get.ts';
import { parseHealth } from './health.ts';

const MAX_TARGETS = 100;
const INTERVAL_MS = 5000;
/** A page that takes long is asked for less often: making it must not take more than this share of the app's time … */
const SHARE = 0.1;
/** … but an app that is slow for another reason is not lost from sight. */
const MAX_INTERVAL_MS = 30_000;
/** An announced address that is down and no longer announced is forgotten. */
const FORGET_MS = 60_000;
const ACCEPT = 'application/openmetrics-text; version=1.0.0; charset=utf-8, text/plain; version=0.0.4; q=0.5';

export interface ScraperOptions {
  /** Addresses given by hand; these may be anywhere. */
  urls?: readonly string[];
  intervalMs?: number;
  read(reading: Reading, families: Family[]): number;
  health(): void;
  /** A process is gone: its series are, too. */
  gone?(service: string, source: string): void;
}

interface State {
  target: Target;
  health: ServiceHealth;
  /** Where the pages are fetched. */
  metricsAt: string;
  healthAt: string;
  announcedAt: number;
  timer: NodeJS.Timeout | undefined;
}

/** Reads `/metrics` and `/health` of the processes that announce their address, and of those given by hand. */
export class Scraper {
  readonly #targets = new Map<string, State>();
  readonly #options: ScraperOptions;
  #closed = false;

  constructor(options: ScraperOptions) {
    this.#options = options;
    for (const url of options.urls ?? []) this.#add(url, null, 'given');
  }

  get targets(): Target[] {
    return [...this.#targets.values()].map(({ target }) => target);
  }

  get health(): ServiceHealth[] {
    return [...this.#targets.values()].filter(({ target }) => target.state !== 'refused').map(({ health }) => health);
  }

  /** A service says where its metrics are. Called with every batch: cheap for what is known. */
  announce(url: string, service: string): void {
    const known = this.#targets.get(url);
    if (known === undefined) this.#add(url, service, 'announced');
    else {
      known.announcedAt = Date.now();
      if (known.target.source === 'announced') known.target.service = known.health.service = service;
    }
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#targets.values()) clearTimeout(timer);
    closeIdle();
  }

  #add(url: string, service: string | null, source: Target['source']): void {
    if (this.#closed || this.#targets.size >= MAX_TARGETS || url.length > 1000) return;
    const at = source === 'given' && isHttp(url) ? url : overLoopback(url);
    const error = at === undefined ? refusal(url) : '';
    const target: Target = {
      url,
      service,
      source,
      state: error === '' ? 'new' : 'refused',
      lastScrape: null,
      durationMs: null,
      series: 0,
      error,
    };
    const { host = '', origin = '' } = URL.canParse(url) ? new URL(url) : {};
    const health: ServiceHealth = {
      service: service ?? host,
      instance: host,
      url: `${origin}/health`,
      status: 'unknown',
      checkedAt: null,
      version: '',
      uptimeSeconds: null,
      checks: [],
      error: '',
    };
    const state: State = {
      target,
      health,
      metricsAt: at ?? '',
      healthAt: at === undefined ? '' : new URL('/health', at).href,
      announcedAt: Date.now(),
      timer: undefined,
    };
    this.#targets.set(url, state);
    if (at !== undefined) this.#schedule(state, 0);
  }

  #schedule(state: State, delayMs: number): void {
    if (this.#closed) return;
    state.timer = setTimeout(() => void this.#round(state), delayMs);
    state.timer.unref();
  }

  async #round(state: State): Promise<void> {
    const { target } = state;
    await Promise.all([this.#scrape(state), this.#check(state)]);
    if (this.#closed) return;
    const forgotten = target.source === 'announced' && Date.now() - state.announcedAt > FORGET_MS;
    if (forgotten && target.state === 'down') {
      this.#targets.delete(target.url);
      this.#options.gone?.(target.service ?? '', target.url);
      this.#options.health();
      return;
    }
    const { intervalMs = INTERVAL_MS } = this.#options;
    const careful = Math.min((target.durationMs ?? 0) / SHARE, MAX_INTERVAL_MS);
    this.#schedule(state, Math.max(intervalMs, careful));
  }

  async #scrape({ target, health, metricsAt }: State): Promise<void> {
    const began = performance.now();
    try {
      const { status, body } = await getPage(metricsAt, ACCEPT, target.source === 'announced');
      if (status !== 200) throw new Error(`status ${status}`);
      target.durationMs = performance.now() - began;
      if (this.#closed) return;
      const families = parseText(body);
      const service = target.service ?? serviceOf(families) ?? new URL(target.url).host;
      health.service = service;
      target.service = service;
      target.lastScrape = Date.now();
      target.state = 'up';
      target.error = '';
      target.series = this.#options.read({ service, source: target.url, at: target.lastScrape }, families);
    } catch (error) {
      target.state = 'down';
      target.error = reason(error);
    }
  }

  async #check({ target, health, healthAt }: State): Promise<void> {
    try {
      const { status, body } = await getPage(
        healthAt,
        'application/health+json, application/json',
        target.source === 'announced',
      );
      const report = parseHealth(body);
      if (report === undefined) {
        // Not every metrics page has a health page beside it.
        Object.assign(health, { status: 'unknown', checks: [], error: `/health answered ${status} without a report` });
      } else Object.assign(health, report, { error: '' });
    } catch (error) {
      Object.assign(health, { status: 'unreachable', checks: [], error: reason(error) });
    }
    health.checkedAt = Date.now();
    if (!this.#closed) this.#options.health();
  }
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === 'http:';
}

function refusal(url: string): string {
  if (!isHttp(url)) return 'no http:// address';
  return `${new URL(url).hostname} is not this machine: to read it anyway, start the viewer with --scrape ${url}`;
}

/** `target_info` says whose page it is. */
function serviceOf(families: readonly Family[]): string | undefined {
  const labels = families.find(({ name }) => name === 'target_info')?.samples[0]?.labels;
  const { service_name: name = '', service_namespace: namespace = '' } = labels ?? {};
  if (name === '') return undefined;
  return namespace === '' ? name : `${namespace}/${name}`;
}

function reason(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return code === 'ECONNREFUSED' ? 'nothing listens there' : message || code || String(error);
}
