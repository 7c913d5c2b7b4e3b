import { storage } from '../context.ts';
import type { ServerRequest } from './server-request.ts';

export type Emit = (this: any, event: string | symbol, ...args: any[]) => boolean;

let thrower: ServerRequest | undefined;

/**
 * Calls a method in a request's context. An exception is not caught, since throwing it anew would change what Node prints of
 * it; but by the time that Node reports it the context is gone, so the request is remembered for {@link takeThrower}.
 */
export function enter<T>(request: ServerRequest, method: (...args: any[]) => T, self: unknown, args: ArrayLike<unknown>): T {
  let returned = false;
  try {
    const result = storage.run(request.context, Reflect.apply, method, self, args) as T;
    returned = true;
    return result;
  } finally {
    if (!returned) remember(request);
  }
}

/** Emits an event in a request's context; as it is where nobody listens or the context is the request's already. */
export function emitIn(
  request: ServerRequest,
  original: Emit,
  emitter: any,
  event: string | symbol,
  args: ArrayLike<unknown>,
): boolean {
  return emitter._events?.[event] === undefined || storage.getStore() === request.context
    ? Reflect.apply(original, emitter, args as [string])
    : enter(request, original, emitter, args);
}

/** The request under which the exception was thrown that is being reported now. */
export function takeThrower(): ServerRequest | undefined {
  const request = thrower;
  thrower = undefined;
  return request;
}

function remember(request: ServerRequest): void {
  thrower = request;
  // If somebody has caught it, an exception of a later turn is not this request's.
  setImmediate(() => {
    if (thrower === request) thrower = undefined;
  }).unref();
}
