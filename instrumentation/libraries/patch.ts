import { together, type Undo } from './define.ts';

export type Method = (this: any, ...args: any[]) => any;

/**
 * Replaces a method of a prototype, own or inherited, until it is undone. Where somebody has wrapped ours since, ours stays
 * below. A version without the method lacks what hangs on it, no more.
 */
export function patch(prototype: object, name: PropertyKey, make: (original: Method) => Method): Undo {
  const holder = prototype as Record<PropertyKey, unknown>;
  const original = holder[name];
  if (typeof original !== 'function') return () => {};
  const own = Object.getOwnPropertyDescriptor(prototype, name);
  const made = make(original as Method);
  Object.defineProperty(prototype, name, {
    value: made,
    writable: true,
    configurable: true,
    enumerable: own?.enumerable ?? false,
  });
  return () => {
    if (holder[name] !== made) return;
    if (own) Object.defineProperty(prototype, name, own);
    else Reflect.deleteProperty(prototype, name);
  };
}

/** Prototypes that are wired, see {@link once}. */
const wired = new WeakSet<object>();

/** Wires a class that may be met several times: under several names, or in packages that hand it on to one another. */
export function once(prototype: object, make: () => Undo): Undo {
  if (wired.has(prototype)) return () => {};
  wired.add(prototype);
  return together([() => void wired.delete(prototype), make()]);
}
