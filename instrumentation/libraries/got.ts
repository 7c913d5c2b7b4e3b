import { createRequire } from 'node:module';
import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { resilienceOf } from '../recorders/resilience.ts';
import { defineLibrary, isExports, type Undo } from './define.ts';

/** got's core, a stream: one for each attempt. */
interface Request {
  readonly options?: { readonly url?: unknown };
  readonly requestUrl?: unknown;
  readonly retryCount?: number;
  emit(event: string | symbol, ...args: unknown[]): boolean;
}

interface RequestClass {
  readonly prototype: Request;
}

const ESM_RANGE = '>=12.0.0 <17.0.0';
const CORE = 'core/index.js';

const watched = new WeakSet<Request>();

/** got retries by itself: GET and its kin twice. Each attempt has an HTTP span anyway; here they are counted by host. */
export const got = defineLibrary<Readonly<Record<string, unknown>>>({
  name: 'got',
  gives: 'Attempts by host (`got api.example.com`), those that worked, failed and will be repeated, failed for good.',
  packages: { got: '>=11.0.0 <17.0.0' },
  esm: { got: { range: ESM_RANGE, files: [`dist/source/${CORE}`] } },
  accepts: (exports): exports is Readonly<Record<string, unknown>> =>
    isExports(exports) && typeof exports.default === 'function' && ('HTTPError' in exports || isRequestClass(exports.default)),
  wire(exports, kit, { path }) {
    // `require` gives the package's entry, which does not export the class; the loader hook gives the class's own file.
    const core =
      isRequestClass(exports.default) || path === undefined ? exports : (createRequire(path)(`./${CORE}`) as typeof exports);
    if (!isRequestClass(core.default)) throw new Error(`${CORE} has no class Request`);
    return watch(core.default.prototype, kit);
  },
});

function isRequestClass(value: unknown): value is RequestClass {
  return typeof value === 'function' && isExports(value.prototype) && typeof value.prototype._beforeError === 'function';
}

function watch(prototype: Request, kit: Kit): Undo | undefined {
  if (watched.has(prototype)) return undefined;
  watched.add(prototype);
  const resilience = resilienceOf(kit);
  const own = Object.getOwnPropertyDescriptor(prototype, 'emit');
  const { emit } = prototype;
  /** Newer versions tell of the same error twice. */
  const ended = new WeakSet<Request>();
  let active = true;

  function record(request: Request, event: string, first: unknown): void {
    const result =
      event === 'retry'
        ? 'failure'
        : event === 'error'
          ? 'exhausted'
          : event === 'response' && isExports(first) && Number(first.statusCode) < 400
            ? 'success'
            : undefined;
    if (result === undefined || ended.has(request)) return;
    if (result !== 'failure') ended.add(request);
    resilience.retry(nameOf(request)).attempt(result);
  }

  prototype.emit = function (this: Request, event, ...args) {
    if (active && typeof event === 'string') {
      try {
        record(this, event, args[0]);
      } catch (error) {
        kit.diagnostics.debug(`An event of got could not be recorded: ${reason(error)}.`, 'got');
      }
    }
    return Reflect.apply(emit, this, [event, ...args]);
  };
  return () => {
    active = false;
    watched.delete(prototype);
    if (own) Object.defineProperty(prototype, 'emit', own);
    else delete (prototype as Partial<Request>).emit;
  };
}

function nameOf({ options, requestUrl }: Request): string {
  const url = String(options?.url ?? requestUrl ?? '');
  return URL.canParse(url) ? `got ${new URL(url).host}` : 'got';
}
