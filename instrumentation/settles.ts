/**
 * Tells how a call ends that gives a promise, and gives back what the app gets instead. It is the promise that comes after,
 * since a promise that somebody watches counts as handled: its rejection would no longer end the process of an app that
 * forgot about it. What is no promise is handed back as it is, and nothing is told.
 *
 * @param ended is called once, before the app has the result: with the reason of a rejection, otherwise with undefined and the
 *   value; it must not throw
 */
export function settles<T>(result: T, ended: (error: unknown, value?: unknown) => void): T {
  if (!isPromise(result)) return result;
  // What cannot be caught is no whole promise, and its `then` may return nothing.
  const promise = typeof result.catch === 'function' ? result : Promise.resolve(result);
  return promise.then(
    (value) => {
      ended(undefined, value);
      return value;
    },
    (error: unknown) => {
      ended(error ?? new Error('rejected without a reason'));
      throw error;
    },
  ) as T;
}

/** Not `instanceof`: promises of other libraries and of other realms, a test runner's for one, are no instances of ours. */
function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** As {@link settles}, and what is no promise has ended by now. */
export function follow<T>(result: T, ended: (error: unknown, value?: unknown) => void): T {
  if (!isPromise(result)) ended(undefined, result);
  return settles(result, ended);
}
