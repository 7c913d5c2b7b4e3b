/**
 * Addresses. A trace has a path of its own (`/t/<traceId>`), because that is what log lines print; everything else
 * stands behind `#`, so that the server needs to know no view.
 */
import { useEffect, useState } from 'preact/hooks';

export type Route =
  | { view: 'overview' }
  | { view: 'service'; name: string; query: URLSearchParams }
  | { view: 'traces'; query: URLSearchParams }
  | { view: 'trace'; id: string; span: string }
  | { view: 'logs'; query: URLSearchParams }
  | { view: 'health' }
  | { view: 'unknown' };

/** The route of an address; `path` and `hash` as in `location`. */
export function parseRoute(path: string, hash: string): Route {
  const trace = /^\/t\/([^/]+)\/?$/.exec(path);
  if (trace) {
    const span = new URLSearchParams(hash.slice(1)).get('span') ?? '';
    return { view: 'trace', id: decode(trace[1]).toLowerCase(), span };
  }
  const [where, search = ''] = split(hash.replace(/^#\/?/, ''));
  const query = new URLSearchParams(search);
  if (where === '') return { view: 'overview' };
  if (where === 'traces') return { view: 'traces', query };
  if (where === 'logs') return { view: 'logs', query };
  if (where === 'health') return { view: 'health' };
  if (where.startsWith('service/')) return { view: 'service', name: decode(where.slice('service/'.length)), query };
  return { view: 'unknown' };
}

export const to = {
  overview: () => '/',
  service: (name: string, query: Record<string, string> = {}) => `/#/service/${encodeURIComponent(name)}${search(query)}`,
  traces: (query: Record<string, string> = {}) => `/#/traces${search(query)}`,
  trace: (id: string, span = '') => `/t/${encodeURIComponent(id)}${span ? `#span=${encodeURIComponent(span)}` : ''}`,
  logs: (query: Record<string, string> = {}) => `/#/logs${search(query)}`,
  health: () => '/#/health',
};

const CHANGED = 'routechange';

/** Goes to an address of this page; `replace` leaves no entry in the history. */
export function go(href: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  window.dispatchEvent(new Event(CHANGED));
}

/** The current route; the component renders again when it changes. */
export function useRoute(): Route {
  const [address, setAddress] = useState(here);
  useEffect(() => {
    const update = () => setAddress(here());
    const events = ['popstate', 'hashchange', CHANGED];
    for (const event of events) window.addEventListener(event, update);
    return () => {
      for (const event of events) window.removeEventListener(event, update);
    };
  }, []);
  return parseRoute(...(address.split('\n') as [string, string]));
}

/** Lets plain links to this page move without loading it again. */
export function interceptLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest?.('a[href]');
  const href = link?.getAttribute('href');
  if (!href?.startsWith('/') || link!.hasAttribute('target') || href.startsWith('//')) return;
  event.preventDefault();
  go(href);
}

function here(): string {
  return `${location.pathname}\n${location.hash}`;
}

function search(query: Record<string, string>): string {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return text && `?${text}`;
}

function split(text: string): string[] {
  const at = text.indexOf('?');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** A broken escape (`%zz`) in an address is no reason to fail. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
