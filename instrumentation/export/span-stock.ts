import { type BufferPool, SIZE } from './buffers.ts';
import type { EncodedSpan } from './otlp-json.ts';
import type { SpanRun } from './sink.ts';
import type { SpanRecord } from './span-record.ts';
import type { Stock } from './stock.ts';

/** Less than this crosses in memory of its own size: many small runs may wait for a backend. */
const LEAST = SIZE / 4;
/** Instrumentation scopes that have a run open at once. */
const MOST_OPEN = 8;
/** UTF-8 takes at most so many bytes for a unit of UTF-16. */
const MOST_BYTES = 3;
const COMMA = 0x2c;

interface OpenRun {
  readonly scope: string;
  memory: Buffer<ArrayBuffer>;
  length: number;
  count: number;
}

/**
 * Finished spans as bytes, a run for each instrumentation scope. A span is written into the run's memory as it ends: as texts,
 * those that wait would outlive a few collections of the young generation, which V8 then lets grow. Memory changes threads
 * without being copied, so a run may fill it.
 */
export class SpanStock implements Stock<SpanRecord, SpanRun> {
  readonly #encode: (span: SpanRecord) => EncodedSpan;
  readonly #most: number;
  readonly #pool: BufferPool;
  /** By scope; never empty runs. */
  readonly #open = new Map<string, OpenRun>();
  #last: OpenRun | undefined;
  #closed: SpanRun[] = [];

  /** @param most spans of a run */
  constructor(encode: (span: SpanRecord) => EncodedSpan, most: number, pool: BufferPool) {
    this.#encode = encode;
    this.#most = most;
    this.#pool = pool;
  }

  add(span: SpanRecord): boolean {
    const { scope, json } = this.#encode(span);
    const most = json.length * MOST_BYTES + 1;
    if (most > SIZE) this.#closed.push({ scope, spans: new Uint8Array(Buffer.from(json)), count: 1 });
    else {
      const run = this.#runOf(scope, most);
      if (run.length > 0) run.memory[run.length++] = COMMA;
      run.length += run.memory.write(json, run.length);
      if (++run.count >= this.#most) this.#close(run);
    }
    return this.#closed.length > 0;
  }

  /** The runs that are full, if there are any, otherwise all. */
  take(): { parts: SpanRun[]; count: number } {
    if (this.#closed.length === 0) this.#closeAll();
    const parts = this.#closed;
    this.#closed = [];
    let count = 0;
    for (const run of parts) count += run.count;
    return { parts, count };
  }

  /** The open run of a scope with so much room in it. */
  #runOf(scope: string, room: number): OpenRun {
    let run = this.#last?.scope === scope ? this.#last : this.#open.get(scope);
    if (run !== undefined && run.length + room > SIZE) {
      this.#close(run);
      run = undefined;
    }
    if (run === undefined) {
      if (this.#open.size >= MOST_OPEN) this.#closeAll();
      run = { scope, memory: Buffer.from(this.#pool.take()), length: 0, count: 0 };
      this.#open.set(scope, run);
    }
    this.#last = run;
    return run;
  }

  #closeAll(): void {
    for (const run of this.#open.values()) this.#close(run);
  }

  #close({ scope, memory, length, count }: OpenRun): void {
    this.#open.delete(scope);
    this.#last = undefined;
    if (length >= LEAST) this.#closed.push({ scope, spans: new Uint8Array(memory.buffer, 0, length), count });
    else {
      this.#closed.push({ scope, spans: new Uint8Array(memory.subarray(0, length)), count });
      this.#pool.recycle([memory.buffer]);
    }
  }
}
