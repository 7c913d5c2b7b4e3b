/** A list that grows at its top, and holds still while somebody reads it. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { get, type Query, type RequestFailed } from './api.ts';
import { type Change, onChange } from './live.ts';

export interface Page<T> {
  items: T[];
  next: string | null;
  incomplete: boolean;
}

export interface TailOptions<T> {
  /** Path below `/api/` and its query. */
  path: string;
  query: Query;
  /** Takes the answer apart. */
  read(answer: any): Page<T>;
  id(item: T): string;
  /** Whether a change concerns the list; `shown` says whether an id is in it. */
  stale(change: Change, shown: (id: string) => boolean): boolean;
}

export interface Tail<T> {
  items: T[];
  /** Newer items that wait. */
  waiting: number;
  /** Whether there may be even more of them. */
  waitingMore: boolean;
  /** Whether older ones can be asked for. */
  more: boolean;
  loading: boolean;
  error: RequestFailed | null;
  paused: boolean;
  frozen: boolean;
  pause(on: boolean): void;
  /** Says that somebody reads: scrolled away from the top, or has a row open. */
  reading(on: boolean): void;
  /** Says that the pointer moved over the list. */
  touched(): void;
  showNew(): void;
  older(): void;
}

const PAGE = 100;
/** Rows kept in the page. */
const MOST = 1000;
/** How long a moved pointer holds the list still (ms). */
const TOUCH = 3000;

interface State<T> {
  key: string;
  items: T[];
  next: string | null;
  fresh: Page<T> | null;
  waiting: number;
  error: RequestFailed | null;
  loaded: boolean;
}

export function useTail<T>(options: TailOptions<T>): Tail<T> {
  const key = JSON.stringify([options.path, options.query]);
  const empty: State<T> = { key, items: [], next: null, fresh: null, waiting: 0, error: null, loaded: false };
  const [state, setState] = useState(empty);
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [touching, setTouching] = useState(false);
  const latest = useRef(options);
  latest.current = options;
  const frozen = paused || scrolled || touching;
  const frozenNow = useRef(frozen);
  frozenNow.current = frozen;
  const shown = state.key === key ? state : empty;
  const shownNow = useRef(shown);
  shownNow.current = shown;

  useEffect(() => {
    const abort = new AbortController();
    let busy = false;
    let again = false;
    async function load(): Promise<void> {
      if (busy) {
        again = true;
        return;
      }
      busy = true;
      again = false;
      try {
        const { path, query, read } = latest.current;
        const page = read(await get(path, { ...query, limit: PAGE }, abort.signal));
        if (!abort.signal.aborted) setState((old) => merge(old.key === key ? old : empty, page, frozenNow.current));
      } catch (error) {
        if (!abort.signal.aborted) setState((old) => ({ ...(old.key === key ? old : empty), error: error as RequestFailed }));
      }
      busy = false;
      if (again && !abort.signal.aborted) window.setTimeout(load, 250);
    }
    load();
    const off = onChange((change) => {
      const ids = new Set(shownNow.current.items.map(latest.current.id));
      if (latest.current.stale(change, (id) => ids.has(id))) load();
    });
    return () => {
      abort.abort();
      off();
    };
  }, [key]);

  // What waited is shown as soon as nobody reads.
  useEffect(() => {
    if (!frozen) setState((old) => (old.fresh ? merge(old, old.fresh, false) : old));
  }, [frozen]);

  function merge(old: State<T>, page: Page<T>, hold: boolean): State<T> {
    const { id } = latest.current;
    const known = new Map(page.items.map((item) => [id(item), item]));
    const newer = page.items.findIndex((item) => old.items.some((one) => id(one) === id(item)));
    const waiting = newer < 0 ? (old.items.length === 0 ? 0 : page.items.length) : newer;
    if (hold && old.loaded && old.items.length > 0 && waiting > 0) {
      // Rows in sight get their new figures, but none moves.
      return { ...old, items: old.items.map((item) => known.get(id(item)) ?? item), fresh: page, waiting, error: null };
    }
    const rest = newer < 0 ? [] : old.items.filter((item) => !known.has(id(item)));
    const items = [...page.items, ...rest].slice(0, MOST);
    return {
      key: old.key,
      items,
      next: rest.length > 0 ? old.next : page.next,
      fresh: null,
      waiting: 0,
      error: null,
      loaded: true,
    };
  }

  const touch = useMemo(() => {
    let timer: number | undefined;
    return () => {
      window.clearTimeout(timer);
      setTouching(true);
      timer = window.setTimeout(() => setTouching(false), TOUCH);
    };
  }, []);

  return {
    items: shown.items,
    waiting: shown.waiting,
    waitingMore: shown.waiting >= PAGE,
    more: shown.next !== null && shown.items.length < MOST,
    loading: !shown.loaded && shown.error === null,
    error: shown.error,
    paused,
    frozen,
    pause: setPaused,
    reading: setScrolled,
    touched: touch,
    showNew: () => setState((old) => (old.fresh ? merge(old, old.fresh, false) : old)),
    older: () => {
      const { path, query, read, id } = latest.current;
      if (shown.next === null) return;
      get(path, { ...query, limit: PAGE, before: shown.next }).then(
        (answer) => {
          const page = read(answer);
          setState((old) => {
            if (old.key !== key) return old;
            const known = new Set(old.items.map(id));
            return {
              ...old,
              items: [...old.items, ...page.items.filter((item) => !known.has(id(item)))].slice(0, MOST),
              next: page.next,
            };
          });
        },
        (error) => setState((old) => ({ ...old, error })),
      );
    },
  };
}
