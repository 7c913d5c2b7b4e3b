import type { OutgoingMessage } from 'node:http';

/** Replaces a method and returns what puts it back, unless somebody has wrapped it since. */
export function wrap<T extends object>(target: T, name: string, make: (original: any) => any): () => void {
  const holder = target as Record<string, any>;
  const own = Object.hasOwn(holder, name);
  const original = holder[name];
  if (typeof original !== 'function') return () => {};
  const wrapped = make(original);
  holder[name] = wrapped;
  return () => {
    if (holder[name] !== wrapped) return;
    if (own) holder[name] = original;
    else delete holder[name];
  };
}

/** Takes steps back, the last first. */
export function undoAll(steps: readonly (() => void)[]): void {
  for (const step of [...steps].reverse()) step();
}

/** Where Node keeps what `setHeader` has set; found on the first message. */
let kept: symbol | undefined;

/** All that `setHeader` has set, which is what most messages are made of. */
function keptBy(message: OutgoingMessage): unknown {
  kept ??= Object.getOwnPropertySymbols(message).find(({ description }) => description === 'kOutHeaders') ?? Symbol('unknown');
  return (message as unknown as Record<symbol, unknown>)[kept];
}

/** A header set by `setHeader`, or handed over as an object, a flat list or a list of pairs. `lower` is in lower case. */
export function headerValue(message: OutgoingMessage, headers: unknown, lower: string): unknown {
  const set = message.getHeader(lower);
  // `getHeader` knows all of Node's own table: going through it once more would be the dearest part of a header block.
  if (set !== undefined || headers === undefined || headers === null || headers === keptBy(message)) return set;
  if (Array.isArray(headers)) {
    if (Array.isArray(headers[0])) return headers.find(([name]) => String(name).toLowerCase() === lower)?.[1];
    for (let i = 0; i < headers.length; i += 2) if (String(headers[i]).toLowerCase() === lower) return headers[i + 1];
    return undefined;
  }
  for (const name in headers as object) {
    if (name.length === lower.length && name.toLowerCase() === lower) return (headers as Record<string, unknown>)[name];
  }
  return undefined;
}
