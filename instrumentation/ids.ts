import { randomFillSync } from 'node:crypto';

// Random bytes for some five hundred requests at a time: the call that fills them costs as much as all the rest of an id.
const random = Buffer.allocUnsafe(16 * 1024);
// They become digits for some eight requests at a time. Not more of them, because an id that somebody keeps is a piece of
// this text and keeps it whole.
const PORTION = 256;
const VARIANT = '89ab';
let filled = random.length;
let digits = '';
let used = 0;

/** Where the next `count` hex digits begin in `digits`. */
function take(count: number): number {
  if (used + count > digits.length) {
    if (filled === random.length) {
      randomFillSync(random);
      filled = 0;
    }
    digits = random.toString('hex', filled, filled + PORTION);
    filled += PORTION;
    used = 0;
  }
  const at = used;
  used += count;
  return at;
}

/** 32 lower-case hex digits, never all zeros. */
export function traceId(): string {
  const at = take(32);
  const id = digits.slice(at, at + 32);
  return id === '00000000000000000000000000000000' ? traceId() : id;
}

/** 16 lower-case hex digits, never all zeros. */
export function spanId(): string {
  const at = take(16);
  const id = digits.slice(at, at + 16);
  return id === '0000000000000000' ? spanId() : id;
}

let millisecond = -1;
let time = '';

/** A UUID version 7: sortable by time. @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7 */
export function uuidv7(now: number = Date.now()): string {
  if (now !== millisecond) {
    millisecond = now;
    const hex = now.toString(16).padStart(12, '0');
    time = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
  }
  const at = take(19);
  const variant = VARIANT[digits.charCodeAt(at) & 3];
  return `${time}${digits.slice(at + 1, at + 4)}-${variant}${digits.slice(at + 4, at + 7)}-${digits.slice(at + 7, at + 19)}`;
}
