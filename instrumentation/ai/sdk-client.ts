import { storage } from '../context.ts';
import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { type ModelAnswer, type ModelCall, type ModelRequest, modelCallsOf, type Operation } from './model-calls.ts';

/**
 * The clients of several vendors are made by one generator and have one shape: each method of theirs calls
 * `post(path, options)`, which returns a promise that reads the response when it is first waited for.
 */
export interface SdkClient {
  readonly baseURL?: unknown;
  post(path: string, options?: unknown): unknown;
}

/** What differs between vendors. Values are what came over the wire; nothing about them is certain. */
export interface Vendor {
  provider(client: SdkClient): string;
  /** Undefined for paths that ask no model. */
  operation(path: string): Operation | undefined;
  request(body: any): Partial<ModelRequest>;
  answer(body: any): ModelAnswer;
  /** One event of a stream. */
  event(event: any): ModelAnswer;
  /** The options with which the client is called instead of the app's. */
  options?(client: SdkClient, options: any): unknown;
}

/** Promise of the clients: `then` and its kin, and `withResponse`, go through `parse`. */
interface ApiPromise {
  parse(): Promise<unknown>;
  asResponse(): Promise<unknown>;
  _thenUnwrap?(transform: (value: any, ...rest: any[]) => unknown): ApiPromise;
}

interface ApiStream {
  /** Makes the one iterator of this stream; undefined in old versions. */
  iterator?: () => AsyncIterator<unknown>;
  [Symbol.asyncIterator](): AsyncIterator<unknown>;
}

/** Observes every call of a model that goes through this prototype. What it returns takes that back. */
export function watchClient(prototype: SdkClient, vendor: Vendor, kit: Kit): () => void {
  const calls = modelCallsOf(kit);
  // What the app asked for and then let go of, unread: its call ends with it.
  const forgotten = new FinalizationRegistry<ModelCall>((call) => call.end());
  const own = Object.getOwnPropertyDescriptor(prototype, 'post');
  const { post } = prototype;
  let isActive = true;

  function attempt(what: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      kit.diagnostics.debug(`${what} of a call of a model could not be read: ${reason(error)}.`, what);
    }
  }

  function watched(this: SdkClient, path: string, options?: unknown): unknown {
    const operation = isActive && typeof path === 'string' ? vendor.operation(path.split('?')[0]) : undefined;
    if (operation === undefined) return Reflect.apply(post, this, [path, options]);
    const call = calls.start({ provider: vendor.provider(this), operation, ...serverOf(this.baseURL) });
    let promise: unknown;
    try {
      promise = storage.run(call.context, () => {
        const used = vendor.options?.(this, options) ?? options;
        return Reflect.apply(post, this, [path, used]);
      });
    } catch (error) {
      call.end(error);
      throw error;
    }
    const describe = (given: any) => attempt('the request', () => call.describe(vendor.request(given?.body ?? {})));
    // The client waits for options that are a promise, and answers for their rejection.
    if (options instanceof Promise) options.then(describe, () => {});
    else describe(options);
    if (!isApiPromise(promise)) {
      call.end();
      return promise;
    }
    return watchPromise(promise, call);
  }

  /** In place, because apps keep the very object: it is lazy, and has more methods than a promise. */
  function watchPromise<T extends ApiPromise>(promise: T, call: ModelCall): T {
    const { parse, asResponse, _thenUnwrap } = promise;
    let parsed: Promise<unknown> | undefined;
    forgotten.register(promise, call, promise);
    hide(promise, 'parse', () => {
      forgotten.unregister(promise);
      parsed ??= Reflect.apply(parse, promise, []).then(
        (value: unknown) => {
          arrived(value, call);
          return value;
        },
        (error: unknown) => {
          call.end(error);
          throw error;
        },
      );
      return parsed;
    });
    hide(promise, 'asResponse', () => {
      forgotten.unregister(promise);
      return Reflect.apply(asResponse, promise, []).then(
        (response: unknown) => {
          // The app reads the body itself, and the call is over for us; unless the body is parsed beside it.
          if (parsed === undefined) call.end();
          return response;
        },
        (error: unknown) => {
          call.end(error);
          throw error;
        },
      );
    });
    if (_thenUnwrap !== undefined) {
      hide(promise, '_thenUnwrap', (transform: any) => {
        forgotten.unregister(promise);
        return watchPromise(Reflect.apply(_thenUnwrap, promise, [transform]), call);
      });
    }
    return promise;
  }

  function arrived(value: unknown, call: ModelCall): void {
    if (isStream(value)) {
      watchStream(value, call);
      return;
    }
    attempt('the answer', () => call.answer(vendor.answer(value ?? {})));
    call.end();
  }

  /** Also in place: the stream that the app gets is the client's, with all it can do (tee, abort, toReadableStream). */
  function watchStream(stream: ApiStream, call: ModelCall): void {
    const key = typeof stream.iterator === 'function' ? 'iterator' : Symbol.asyncIterator;
    const make = stream[key] as () => AsyncIterator<unknown>;
    const wasOwn = Object.getOwnPropertyDescriptor(stream, key);
    const wrapped = () => {
      forgotten.unregister(stream);
      return watchIterator(Reflect.apply(make, stream, []), call);
    };
    forgotten.register(stream, call, stream);
    Object.defineProperty(stream, key, { configurable: true, writable: true, enumerable: wasOwn?.enumerable, value: wrapped });
  }

  function watchIterator(iterator: AsyncIterator<unknown>, call: ModelCall): AsyncIterator<unknown> {
    const { next, return: leave } = iterator;
    forgotten.register(iterator, call);
    hide(iterator, 'next', async (...args: unknown[]) => {
      let result: IteratorResult<unknown>;
      try {
        result = await Reflect.apply(next, iterator, args);
      } catch (error) {
        call.end(error);
        throw error;
      }
      if (result.done) call.end();
      else {
        call.chunk();
        attempt('an event', () => call.answer(vendor.event(result.value ?? {})));
      }
      return result;
    });
    if (leave !== undefined) {
      hide(iterator, 'return', (...args: unknown[]) => {
        call.end();
        return Reflect.apply(leave, iterator, args);
      });
    }
    return iterator;
  }

  prototype.post = watched;
  return () => {
    isActive = false;
    if (own) Object.defineProperty(prototype, 'post', own);
    else delete (prototype as Partial<SdkClient>).post;
  };
}

function hide(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { configurable: true, writable: true, enumerable: false, value });
}

function isApiPromise(value: unknown): value is ApiPromise {
  return (
    value instanceof Promise &&
    typeof (value as unknown as ApiPromise).parse === 'function' &&
    typeof (value as unknown as ApiPromise).asResponse === 'function'
  );
}

function isStream(value: unknown): value is ApiStream {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'controller' in value;
}

/** `server.address` and `server.port` of the address that a client calls. */
function serverOf(baseURL: unknown): { address?: string; port?: number } {
  try {
    const { hostname, port, protocol } = new URL(String(baseURL));
    return { address: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443) };
  } catch {
    return {};
  }
}
