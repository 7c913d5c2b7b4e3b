/** The server's events: what changed, so that what is shown can be asked for again. */
import { useEffect, useState } from 'preact/hooks';
import type { Change } from '../api-types.ts';

export type { Change };

const listeners = new Set<(change: Change) => void>();
const watchers = new Set<(connected: boolean) => void>();
let connected = false;
let last: Change | null = null;

/** Starts listening; to be called once. */
export function connect(): void {
  const source = new EventSource('/api/events');
  let missed = false;
  source.addEventListener('change', (event) => {
    const change: Change = JSON.parse((event as MessageEvent<string>).data);
    // While the connection was gone anything may have changed.
    last = missed ? { ...change, moreChanged: true, metrics: true, health: true } : change;
    missed = false;
    setConnected(true);
    for (const listener of [...listeners]) listener(last);
  });
  source.addEventListener('error', () => {
    missed = true;
    setConnected(false);
  });
}

/** Calls `listener` with every change until the returned function is called. */
export function onChange(listener: (change: Change) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The last change, and whether the server is reached. */
export function useLive(): { change: Change | null; connected: boolean } {
  const [state, setState] = useState({ change: last, connected });
  useEffect(() => {
    const update = () => setState({ change: last, connected });
    watchers.add(update);
    const off = onChange(update);
    update();
    return () => {
      watchers.delete(update);
      off();
    };
  }, []);
  return state;
}

function setConnected(value: boolean): void {
  if (connected === value) return;
  connected = value;
  for (const watcher of watchers) watcher(value);
}
