import { channel } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { ROOT, storage } from '../context.ts';
import { type Emit, emitIn } from './enter.ts';
import type { ServerRequest } from './server-request.ts';

/** Node publishes this one from its own listener. */
const finished = channel('http.server.response.finish');

/**
 * Emits `finish` of a response. Node's own listener arms the timer of the kept-alive socket, and a timer holds the context
 * that it was armed in: until the next request, that of the last one with its span. That would be more than a kilobyte for
 * each connection, and at each collection of the young generation so much more that survives, for which V8 lets it grow.
 *
 * Where Node's listener is the only one it runs outside of the request; behind others the timer is armed anew. Outside means
 * of our storage alone: the app's own must stay as they are, so a snapshot of all will not do.
 */
export function emitFinish(request: ServerRequest, original: Emit, response: any, args: ArrayLike<unknown>): boolean {
  const listeners = response._events?.finish;
  const first = Array.isArray(listeners) ? listeners[0] : listeners;
  if (first?.name !== 'bound resOnFinish') return emitIn(request, original, response, 'finish', args);
  if (first === listeners && !finished.hasSubscribers)
    return storage.run(ROOT, Reflect.apply, original, response, args) as boolean;
  const { socket } = response;
  const result = emitIn(request, original, response, 'finish', args);
  storage.run(ROOT, armAnew, socket);
  return result;
}

/** The timer of a socket that is still open, for as long as it was armed a moment ago. */
function armAnew(socket: Socket | null | undefined): void {
  if (socket?.timeout && !socket.destroyed) socket.setTimeout(socket.timeout);
}
