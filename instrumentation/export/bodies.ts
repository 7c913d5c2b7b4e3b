/** A body that is larger than this was a rare one. */
const MOST_KEPT = 4 * 1024 * 1024;
/** Bodies grow with the telemetry: room for a little more spares making the next one anew. */
const ROOM = 1.25;

/** Memory for the bodies of requests, used again once a request has been answered; see {@link BufferPool}. */
export class BodyPool {
  #free: Buffer[] = [];
  readonly #most: number;

  /** @param most bodies under way at once */
  constructor(most: number) {
    this.#most = most;
  }

  /** The parts one after another. */
  join(parts: readonly Uint8Array[]): Buffer {
    let length = 0;
    for (const part of parts) length += part.length;
    const fitting = this.#free.findIndex((free) => free.length >= length);
    const [body = Buffer.allocUnsafeSlow(Math.ceil(length * ROOM))] = fitting < 0 ? [] : this.#free.splice(fitting, 1);
    let at = 0;
    for (const part of parts) {
      body.set(part, at);
      at += part.length;
    }
    return body.subarray(0, length);
  }

  /** Only for a body that nothing reads any more. */
  release(body: Buffer): void {
    const { buffer } = body;
    if (buffer.byteLength > MOST_KEPT) return;
    // The newest are the largest, as a rule.
    this.#free.unshift(Buffer.from(buffer));
    this.#free.length = Math.min(this.#free.length, this.#most);
  }
}
