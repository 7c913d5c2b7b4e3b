import type { Duplex } from 'node:stream';

const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})/;

/**
 * Calls `answered` with the status that is first written to the socket of an upgrade or a tunnel, undefined if what is
 * written is no HTTP. The answer to such a request is not a response object: the app writes it to the socket by hand, at
 * once or after it has asked somebody. The methods are the socket's own again afterwards.
 */
export function onFirstAnswer(socket: Duplex, answered: (status: number | undefined) => void): void {
  const holder = socket as unknown as Record<'write' | 'end', (...args: any[]) => any>;
  let done = false;

  for (const name of ['write', 'end'] as const) {
    const own = Object.hasOwn(holder, name);
    const original = holder[name];
    const watched = function (this: unknown, chunk: unknown): unknown {
      if (!done && (typeof chunk === 'string' || chunk instanceof Uint8Array) && chunk.length > 0) {
        done = true;
        const head = typeof chunk === 'string' ? chunk.slice(0, 16) : Buffer.from(chunk.subarray(0, 16)).toString('latin1');
        const status = STATUS_LINE.exec(head)?.[1];
        answered(status === undefined ? undefined : Number(status));
      }
      if (done && holder[name] === watched) {
        if (own) holder[name] = original;
        else Reflect.deleteProperty(holder, name);
      }
      return Reflect.apply(original, this, arguments);
    };
    holder[name] = watched;
  }
}
