import type { Span } from '@opentelemetry/api';

/** Spans of one pipeline or transaction; it may have thousands of commands, and one of them looks like the next. */
const MOST_SPANS = 10;

interface Batch {
  readonly parent: string;
  size: number;
}

/** Bounds the spans of commands that are sent together. The first of them says how many there are. */
export class Batches {
  #current: Batch | undefined;
  readonly #first = new WeakMap<Span, Batch>();

  /** Makes the span of one command of a batch, or none where there are enough. */
  span(parent: string, make: () => Span | undefined): Span | undefined {
    let batch = this.#current;
    if (batch?.parent !== parent) {
      this.#current = batch = { parent, size: 0 };
      // A batch is sent in one go: what is sent later is another.
      queueMicrotask(() => {
        if (this.#current === batch) this.#current = undefined;
      });
    }
    batch.size++;
    if (batch.size > MOST_SPANS) return undefined;
    const span = make();
    if (batch.size === 1 && span !== undefined) this.#first.set(span, batch);
    return span;
  }

  /** Number of commands of the batch that begins with this span; undefined for any other. */
  sizeOf(span: Span): number | undefined {
    return this.#first.get(span)?.size;
  }
}
