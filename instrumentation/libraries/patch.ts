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

/**
 * Tells how a call ends that gives a promise, and gives back what the app gets instead. It is the promise that comes after,
 * since a promise that somebody watches counts as handled: its rejection would no longer end the process of an app that
 * forgot about it. What is no promise is handed back as it is, and nothing is told.
 *
 * @param ended is called once, with the reason of a rejection; it must not throw
 */
export function settles<T>(result: T, ended: (error?: unknown) => void): T {
  if (!isPromise(result)) return result;
  return result.then(
    (value) => {
      ended();
      return value;
    },
    (error: unknown) => {
      ended(error ?? new Error(String(error)));
      throw error;
    },
  ) as T;
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
