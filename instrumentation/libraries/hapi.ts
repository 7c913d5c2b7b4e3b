import { REQUEST, type RequestState } from '../context.ts';
import { defineLibrary, isExports, together } from './define.ts';
import { loadedFile } from './official.ts';
import { patch } from './patch.ts';

interface HapiRequest {
  readonly raw?: { readonly req?: { readonly [REQUEST]?: RequestState } };
  /** Of the route that matched; until then, and if none does, of one that hapi keeps for itself. */
  readonly route?: { readonly path?: string; readonly method?: string };
}

interface RequestClass {
  readonly prototype: object;
  generate(...args: unknown[]): HapiRequest;
}

const REQUEST_FILE = '@hapi/hapi/lib/request.js';

/** Method of the routes that hapi answers 404, bad paths and CORS preflights with. */
const SPECIAL = '_special';

/**
 * hapi. Its class of requests is not exported; it makes each request with `generate`, and hands whatever a handler or an
 * extension gave to `_setResponse`, errors too. There an error is seen even if an `onPreResponse` answers it with a page.
 */
export const hapi = defineLibrary<object>({
  name: 'hapi',
  gives: 'Route templates on spans and metrics, also of requests that authentication or validation refuses; errors.',
  packages: { '@hapi/hapi': '>=20.0.0 <22.0.0' },
  accepts: (exports): exports is object => isExports(exports) && typeof exports.Server === 'function',
  wire(_exports, _kit, copy) {
    const Class = loadedFile(copy, REQUEST_FILE) as RequestClass | undefined;
    if (typeof Class?.generate !== 'function') throw new Error(`${REQUEST_FILE} has no method generate`);
    return together([
      patch(Class, 'generate', (original) => (...args) => {
        const request: HapiRequest = Reflect.apply(original, Class, args);
        const state = stateOf(request);
        if (state !== undefined && state.route === undefined) {
          state.route = routeOf;
          state.routeSubject = request;
        }
        return request;
      }),
      patch(
        Class.prototype,
        '_setResponse',
        (original) =>
          function (this: HapiRequest, ...args) {
            // hapi marks every error on its way out so.
            if (args[0]?.isBoom === true && this.route?.method !== SPECIAL) {
              const state = stateOf(this);
              if (state !== undefined) state.error ??= args[0];
            }
            return Reflect.apply(original, this, args);
          },
      ),
    ]);
  },
});

function stateOf(request: HapiRequest): RequestState | undefined {
  return request.raw?.req?.[REQUEST];
}

function routeOf({ route }: HapiRequest): string {
  return route === undefined || route.method === SPECIAL ? '' : (route.path ?? '');
}
