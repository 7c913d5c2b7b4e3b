import { createRequire } from 'node:module';
import { REQUEST, type RequestState } from '../context.ts';
import { defineLibrary, isExports } from './define.ts';

interface Host {
  getArgByIndex?(index: number): unknown;
}

interface Handler {
  next(exception: unknown, host: Host): unknown;
}

type HandlerExports = { readonly ExceptionsHandler?: { readonly prototype: Handler } };

const HANDLER = 'exceptions/exceptions-handler.js';

/**
 * NestJS. Its routes are those of the platform below, Express or Fastify; but it answers errors itself, so they never
 * reach the platform's error handlers.
 */
export const nest = defineLibrary<HandlerExports>({
  name: 'nestjs-core',
  gives: 'Errors that NestJS answers itself; routes are those of Express or Fastify below it.',
  packages: { '@nestjs/core': '>=9.0.0 <13.0.0' },
  esm: { '@nestjs/core': { range: '>=12.0.0 <13.0.0', files: [HANDLER] } },
  accepts: (exports): exports is HandlerExports =>
    isExports(exports) && ('ExceptionsHandler' in exports || isExports(exports.NestFactory)),
  wire(exports, _kit, { path }) {
    // `require` names the package, whose entry does not export the class; the loader hook names the class's own file.
    const own =
      exports.ExceptionsHandler || path === undefined ? exports : (createRequire(path)(`./${HANDLER}`) as HandlerExports);
    const prototype = own.ExceptionsHandler?.prototype;
    if (prototype === undefined) throw new Error(`${HANDLER} has no class ExceptionsHandler`);
    if (watched.has(prototype)) return undefined;
    watched.add(prototype);
    const { next } = prototype;
    prototype.next = function (this: Handler, exception, host) {
      noteError(host, exception);
      return next.call(this, exception, host);
    };
    return () => {
      watched.delete(prototype);
      prototype.next = next;
    };
  },
});

const watched = new WeakSet<Handler>();

function noteError(host: Host, exception: unknown): void {
  const request = host?.getArgByIndex?.(0);
  if (!isExports(request)) return;
  // Fastify's request has Node's below it.
  const message = isExports(request.raw) ? request.raw : request;
  const state = message[REQUEST] as RequestState | undefined;
  if (state !== undefined) state.error ??= exception;
}
