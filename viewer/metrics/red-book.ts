import type { CallRed, ExemplarPoint } from '../api-types.ts';
import { slotOf, spread } from './clock.ts';
import { RedWindow } from './red-window.ts';
import { SeriesWindow } from './series-window.ts';

/** Routes and calls of one service, and of all together, that are kept apart; the rest is counted as one. */
const MAX_ROUTES = 40;
const MAX_CALLS = 20;
const MAX_ENTRIES = 200;
/** After so long without metrics the spans are the better source again. */
const STALE_MS = 60_000;

/** The route or call that stands for all beyond the limits. */
export const OTHER = '(other)';

/** What a service serves: method and route template, or a queue and no method. */
export interface Route {
  method: string;
  route: string;
}

/** What a service calls. */
export interface Call {
  kind: CallRed['kind'];
  name: string;
}

/** Requests that a histogram counted between two looks at it. */
export interface Increase {
  fromMs: number;
  toMs: number;
  errors: number;
  /** Seconds. */
  bounds: readonly number[];
  counts: ArrayLike<number>;
}

/** One request, as a span tells it. */
export interface Request {
  at: number;
  seconds: number;
  error: boolean;
  traceId: string;
  spanId: string;
}

export interface RedEntry<T> {
  key: T;
  window: RedWindow;
}

/** Upper bounds for requests that spans tell of: a fifth of a decade each, 0.1 ms to 100 s. */
const SPAN_BOUNDS: readonly number[] = Array.from({ length: 31 }, (_, i) => Number((1e-4 * 10 ** (i / 5)).toPrecision(3)));

function textOf(key: Route | Call): string {
  return 'route' in key ? `${key.method} ${key.route}` : `${key.kind} ${key.name}`;
}

/** Messages that are sent have a counter, by convention, and no histogram: no other call would ever be seen in its place. */
function onlyInSpans(key: Route | Call): boolean {
  return 'kind' in key && key.kind === 'messaging';
}

/** Which side of a request: what the service served, or what it called. */
class Side<T extends Route | Call> {
  readonly entries = new Map<string, RedEntry<T>>();
  readonly more = new Set<string>();
  /** When metrics last told of it; 0 if never. */
  metricsAt = 0;

  windowOf(key: T, room: boolean, other: T): RedWindow {
    const text = textOf(key);
    const known = this.entries.get(text);
    if (known) return known.window;
    if (!room && text !== textOf(other)) {
      // A bounded memory of how many there were.
      if (this.more.size < 1000) this.more.add(text);
      return this.windowOf(other, false, other);
    }
    const window = new RedWindow();
    this.entries.set(text, { key, window });
    return window;
  }
}

export class ServiceRed {
  readonly routes = new Side<Route>();
  readonly calls = new Side<Call>();
  /** Slots in which its metrics were read. */
  readonly scraped = new SeriesWindow();
  firstSlot = Number.POSITIVE_INFINITY;

  /** Whether its requests are counted by metrics now, or by the spans that arrive. */
  source(now: number): 'metrics' | 'spans' {
    return now - this.routes.metricsAt < STALE_MS ? 'metrics' : 'spans';
  }
}

/** Rate, errors and durations of every service, by route and by call. Bounded, whatever routes senders make up. */
export class RedBook {
  readonly #services = new Map<string, ServiceRed>();
  #entries = 0;

  get(service: string): ServiceRed | undefined {
    return this.#services.get(service);
  }

  service(name: string, at: number): ServiceRed {
    let found = this.#services.get(name);
    if (found === undefined) this.#services.set(name, (found = new ServiceRed()));
    found.firstSlot = Math.min(found.firstSlot, slotOf(at));
    return found;
  }

  /** Counts of a histogram, for what was served or called. */
  increase(service: string, key: Route | Call, increase: Increase): void {
    const of = this.service(service, increase.toMs);
    const side = 'route' in key ? of.routes : of.calls;
    // What spans have counted so far is in the histogram too.
    if (side.metricsAt === 0) {
      for (const { key, window } of side.entries.values()) if (!onlyInSpans(key)) window.reset();
    }
    side.metricsAt = increase.toMs;
    const window = this.#window(of, key);
    spread(increase.fromMs, increase.toMs, (slot, share) =>
      window.add(slot, increase.errors, increase.bounds, increase.counts, share),
    );
  }

  /** A request that a span tells of: counted where no metrics count it, and an example of it in any case. */
  observe(service: string, key: Route | Call, request: Request, now: number): void {
    const { at, seconds, error, traceId, spanId } = request;
    const of = this.service(service, at);
    const window = this.#window(of, key);
    const slot = slotOf(at);
    const side = 'route' in key ? of.routes : of.calls;
    if (onlyInSpans(key) || now - side.metricsAt >= STALE_MS) window.observe(slot, seconds, error, SPAN_BOUNDS);
    this.#exemplar(window, { at, durationMs: seconds * 1000, traceId, spanId, error });
  }

  /** A request that a histogram's exemplar points to. */
  exemplar(service: string, key: Route | Call, point: ExemplarPoint): void {
    this.#exemplar(this.#window(this.service(service, point.at), key), point);
  }

  clear(): void {
    this.#services.clear();
    this.#entries = 0;
  }

  #exemplar(window: RedWindow, point: ExemplarPoint): void {
    window.exemplar(slotOf(point.at), point);
  }

  #window(of: ServiceRed, key: Route | Call): RedWindow {
    const room = this.#entries < MAX_ENTRIES;
    const before = of.routes.entries.size + of.calls.entries.size;
    const window =
      'route' in key
        ? of.routes.windowOf(key, room && of.routes.entries.size < MAX_ROUTES, { method: '', route: OTHER })
        : of.calls.windowOf(key, room && of.calls.entries.size < MAX_CALLS, { kind: 'other', name: OTHER });
    this.#entries += of.routes.entries.size + of.calls.entries.size - before;
    return window;
  }
}
