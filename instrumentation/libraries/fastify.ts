import { REQUEST, type RequestState } from '../context.ts';
import { defineLibrary, isExports } from './define.ts';

interface FastifyRequest {
  readonly raw: { readonly [REQUEST]?: RequestState };
  readonly routeOptions?: { readonly url?: string };
  readonly routerPath?: string;
}

type Done = () => void;

interface Fastify {
  readonly version?: string;
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: unknown, done: Done) => void): void;
  addHook(name: 'onError', hook: (request: FastifyRequest, reply: unknown, error: unknown, done: Done) => void): void;
}

/**
 * Fastify announces each instance over its channel before the app gets it, so our hook is the first of all. In
 * `onRequest` the route is already found, also where a later hook answers 401 or the schema 400.
 *
 * @see https://fastify.dev/docs/latest/Reference/Hooks/#diagnostics-channel-hooks
 */
export const fastify = defineLibrary({
  name: 'fastify',
  gives: 'Route templates on spans and metrics, also of requests that a hook or the schema refuses; errors.',
  packages: { fastify: '>=4.0.0 <6.0.0' },
  channels: {
    'fastify.initialization': (message) => {
      const instance = isExports(message) ? (message.fastify as Fastify | undefined) : undefined;
      if (instance === undefined) return undefined;
      instance.addHook('onRequest', (request, _reply, done) => {
        const state = request.raw[REQUEST];
        if (state !== undefined) {
          // `routeOptions` is there from 4.10; before, and only before, `routerPath` is read, which warns later.
          state.route = (request.routeOptions === undefined ? request.routerPath : request.routeOptions.url) ?? '';
        }
        done();
      });
      // Runs before any error handler, the app's own included.
      instance.addHook('onError', (request, _reply, error, done) => {
        const state = request.raw[REQUEST];
        if (state !== undefined) state.error ??= error;
        done();
      });
      return instance.version;
    },
  },
});
