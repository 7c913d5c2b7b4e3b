/** Reading the JSON API. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api-types.ts';
import { type Change, onChange } from './live.ts';

/** The server refused or could not be reached (status 0). */
export class RequestFailed extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'RequestFailed';
    this.status = status;
  }
}

/** `GET /api/<path>`; parameters that are empty are left out. @throws {RequestFailed} */
export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return ask(address(path, query), { signal });
}

/** Throws away all that the viewer holds. @throws {RequestFailed} */
export async function clearAll(): Promise<void> {
  await ask('/api/clear', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
}

export type Query = Record<string, string | number | string[] | undefined>;

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) if (one !== '') search.append(name, String(one));
  }
  const text = search.toString();
  return `/api/${path}${text && `?${text}`}`;
}

export interface Loaded<T> {
  /** The last answer; stays while a newer one is asked for. */
  data: T | null;
  error: RequestFailed | null;
  /** Whether no answer has come yet. */
  loading: boolean;
  reload(): void;
}

export interface LoadOptions {
  /** Which changes make the answer stale; none if absent. */
  when?: (change: Change) => boolean;
  /** At least so long (ms) between two questions. */
  every?: number;
}

/** What `url` (from {@link address}; null asks nothing) answers, asked again when it is stale; never twice at once. */
export function useData<T>(url: string | null, options: LoadOptions = {}): Loaded<T> {
  const [state, setState] = useState<{ url: string | null; data: T | null; error: RequestFailed | null }>(NONE);
  const latest = useRef(options);
  latest.current = options;
  const reload = useRef(() => {});

  useEffect(() => {
    if (url === null) return;
    const abort = new AbortController();
    let busy = false;
    let stale = false;
    let timer: number | undefined;
    let askedAt = 0;

    async function load(): Promise<void> {
      timer = undefined;
      if (document.hidden && askedAt > 0) {
        stale = true;
        return;
      }
      busy = true;
      stale = false;
      askedAt = performance.now();
      try {
        const data = await ask<T>(url!, { signal: abort.signal });
        if (!abort.signal.aborted) setState({ url, data, error: null });
      } catch (error) {
        // What was shown stays: a restart of the viewer should not blank the page.
        if (!abort.signal.aborted) {
          setState((old) => ({ url, data: old.url === url ? old.data : null, error: error as RequestFailed }));
        }
      }
      busy = false;
      if (stale && !abort.signal.aborted) later();
    }
    function later(): void {
      stale = true;
      if (busy || timer !== undefined) return;
      timer = window.setTimeout(load, Math.max(0, askedAt + (latest.current.every ?? 250) - performance.now()));
    }
    const shown = () => stale && !document.hidden && later();
    const off = onChange((change) => latest.current.when?.(change) && later());
    document.addEventListener('visibilitychange', shown);
    reload.current = later;
    load();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      off();
      document.removeEventListener('visibilitychange', shown);
    };
  }, [url]);

  const current = state.url === url ? state : { ...NONE, data: null };
  return {
    data: current.data,
    error: current.error,
    loading: current.data === null && current.error === null,
    reload: () => reload.current(),
  };
}

const NONE = { url: null, data: null, error: null };

async function ask<T>(url: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new RequestFailed(0, 'The viewer does not answer; it may have ended.');
  }
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  throw new RequestFailed(response.status, reason(text) || `The viewer answered ${response.status}.`);
}

function reason(text: string): string {
  try {
    return (JSON.parse(text) as ApiError).error ?? '';
  } catch {
    return '';
  }
}
