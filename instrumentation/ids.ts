import { randomFillSync } from 'node:crypto';

// One call of the random source serves many ids: it costs as much for 16 bytes as for 8 KiB.
const pool = Buffer.allocUnsafe(8192);
let offset = pool.length;

function take(bytes: number): number {
  if (offset + bytes > pool.length) {
    randomFillSync(pool);
    offset = 0;
  }
  const at = offset;
  offset += bytes;
  return at;
}

/** 32 lower-case hex digits, never all zeros. */
export function traceId(): string {
  const at = take(16);
  const id = pool.toString('hex', at, at + 16);
  return id === '00000000000000000000000000000000' ? traceId() : id;
}

/** 16 lower-case hex digits, never all zeros. */
export function spanId(): string {
  const at = take(8);
  const id = pool.toString('hex', at, at + 8);
  return id === '0000000000000000' ? spanId() : id;
}

/** A UUID version 7: sortable by time. @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7 */
export function uuidv7(now: number = Date.now()): string {
  const at = take(10);
  pool[at] = (pool[at] & 0x0f) | 0x70;
  pool[at + 2] = (pool[at + 2] & 0x3f) | 0x80;
  const time = now.toString(16).padStart(12, '0');
  const random = pool.toString('hex', at, at + 10);
  return `${time.slice(0, 8)}-${time.slice(8)}-${random.slice(0, 4)}-${random.slice(4, 8)}-${random.slice(8)}`;
}
