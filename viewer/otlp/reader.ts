import { DecodeError } from './errors.ts';

/** Wire types of protobuf. @see https://protobuf.dev/programming-guides/encoding/ */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/**
 * Nested messages and packed values that one body may hold. An empty message is 2 bytes in the body and 100 in memory,
 * so that a limit in bytes alone would not bound memory. A collector's batch of 8,192 spans has about 250,000.
 */
const MAX_PARTS = 1_000_000;

/** The tag of a field. A field of another wire type than its own is an unknown field, as protobuf has it. */
export function field(number: number, wire: number): number {
  return number * 8 + wire;
}

/** Texts of up to this many ASCII characters are looked up among those read before. */
const MAX_KNOWN = 40;
/** Places for them; a power of two. A newer text takes the place of an older one. */
const KNOWN = 2048;
const known: string[] = new Array(KNOWN).fill('');

/**
 * Reads protobuf from one buffer, without copying. Every read checks the end of the current message, so that no body,
 * however mutilated, reads beyond it or turns in circles: each step moves on by a byte at least.
 *
 * @example
 * const outer = r.enter();
 * for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
 *   if (tag === field(1, BYTES)) name = r.string();
 *   else r.skip();
 * }
 * r.leave(outer);
 */
export class Reader {
  readonly #buffer: Buffer;
  readonly #view: DataView;
  pos = 0;
  end: number;
  #wire = 0;
  #budget = MAX_PARTS;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.end = buffer.length;
  }

  /** The next field as `field number * 8 + wire type`, or -1 at the end of the message. */
  tag(): number {
    if (this.pos >= this.end) return -1;
    const tag = this.uint32();
    this.#wire = tag & 7;
    if (tag >>> 3 === 0) throw new DecodeError(`field number 0 at byte ${this.pos}`);
    return tag;
  }

  /** Passes over the field whose tag was just read. */
  skip(): void {
    switch (this.#wire) {
      case VARINT:
        this.#number();
        return;
      case FIXED64:
        this.#take(8);
        return;
      case BYTES:
        this.#take(this.#length());
        return;
      case FIXED32:
        this.#take(4);
        return;
      default:
        throw new DecodeError(`wire type ${this.#wire} at byte ${this.pos}`);
    }
  }

  /** Narrows the reader to the nested message that follows; give the result to {@link leave} afterwards. */
  enter(): number {
    const length = this.#length();
    const outer = this.end;
    this.#spend();
    if (length > outer - this.pos) throw this.#cut(length);
    this.end = this.pos + length;
    return outer;
  }

  leave(outer: number): void {
    this.pos = this.end;
    this.end = outer;
  }

  /** A varint's low 32 bits. */
  uint32(): number {
    const start = this.pos;
    const n = this.#number();
    if (n <= Number.MAX_SAFE_INTEGER) return n >>> 0;
    this.pos = start;
    return Number(BigInt.asUintN(32, this.#bigint()));
  }

  /** An enum or int32: the low 32 bits of a varint, signed. */
  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const n = this.uint32();
    return (n >>> 1) ^ -(n & 1);
  }

  bool(): boolean {
    return this.#number() !== 0;
  }

  /** An int64: a number where it is safe, else a bigint. */
  int64(): number | bigint {
    const start = this.pos;
    const n = this.#number();
    if (n <= Number.MAX_SAFE_INTEGER) return n;
    this.pos = start;
    return exact(BigInt.asIntN(64, this.#bigint()));
  }

  /** A uint64 as a number (counts; beyond 2^53 rounded). */
  uint64(): number {
    return this.#number();
  }

  fixed32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  sfixed64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  string(): string {
    const length = this.#length();
    const start = this.#take(length);
    return length <= MAX_KNOWN ? this.#short(start, length) : this.#buffer.toString('utf8', start, start + length);
  }

  /**
   * Keys and most values come again with every span: comparing their bytes with a text that is there takes a fraction of
   * the time of making another one, and of hashing that one wherever it is a key.
   */
  #short(start: number, length: number): string {
    const buffer = this.#buffer;
    const end = start + length;
    let hash = length;
    let all = 0;
    for (let i = start; i < end; i++) {
      all |= buffer[i];
      hash = (Math.imul(hash, 31) + buffer[i]) | 0;
    }
    if (all > 0x7f) return buffer.toString('utf8', start, end);
    const place = (hash ^ (hash >>> 15)) & (KNOWN - 1);
    const text = known[place];
    if (text.length === length && sameAscii(text, buffer, start)) return text;
    return (known[place] = buffer.toString('latin1', start, end));
  }

  hex(): string {
    const length = this.#length();
    const start = this.#take(length);
    return this.#buffer.toString('hex', start, start + length);
  }

  /** A copy, so that a kept value does not hold on to the whole body. */
  bytes(): Uint8Array {
    const length = this.#length();
    const start = this.#take(length);
    return new Uint8Array(this.#buffer.subarray(start, start + length));
  }

  /** A packed repeated field: `read` until its end. */
  packed(out: number[], read: (r: Reader) => number): void {
    const outer = this.enter();
    while (this.pos < this.end) {
      this.#spend();
      out.push(read(this));
    }
    this.leave(outer);
  }

  #spend(): void {
    if (this.#budget-- === 0) throw new DecodeError(`more than ${MAX_PARTS} messages and values in one body`);
  }

  #length(): number {
    const length = this.#number();
    if (length > 0x7fffffff) throw new DecodeError(`length ${length} at byte ${this.pos}`);
    return length;
  }

  #take(length: number): number {
    const start = this.pos;
    if (length > this.end - start) throw this.#cut(length);
    this.pos = start + length;
    return start;
  }

  /** A varint as a number; exact up to 2^53. */
  #number(): number {
    let value = this.#byte();
    if (value < 0x80) return value;
    value &= 0x7f;
    let scale = 128;
    for (let i = 1; i < 10; i++, scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new DecodeError(`varint longer than 10 bytes at byte ${this.pos}`);
  }

  /** A varint of which {@link #number} has found the end. */
  #bigint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  }

  #byte(): number {
    if (this.pos >= this.end) throw this.#cut(1);
    return this.#buffer[this.pos++];
  }

  #cut(length: number): DecodeError {
    return new DecodeError(`${length} bytes wanted at byte ${this.pos}, but the message ends at ${this.end}`);
  }
}

function sameAscii(text: string, buffer: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== buffer[start + i]) return false;
  return true;
}

/** A number where a double holds it exactly, else the bigint itself. */
export function exact(n: bigint): number | bigint {
  return n >= -9007199254740991n && n <= 9007199254740991n ? Number(n) : n;
}
