import type { Attributes, AttributeValue, Exception, Link, Span, SpanContext, SpanStatus, TimeInput } from '@opentelemetry/api';

/**
 * A span that is made only when something refers to it: a child, a log line, an attribute. Most messages of a stream are
 * handled in microseconds and leave no trace; a span of each would cost more than they do. Those that query a database, log
 * or call somebody get one, so that what they do hangs together.
 */
export class LazySpan implements Span {
  readonly #make: () => Span;
  #span: Span | undefined;
  /** `performance.now()` at the end; undefined while the message is handled. */
  #endedAt: number | undefined;

  /** @param make starts the span, as of the moment that the message came */
  constructor(make: () => Span) {
    this.#make = make;
  }

  /** Ends the span at a `performance.now()` reading. A span that is made later, by what the handler left behind, ends there too. */
  endAt(reading: number): void {
    if (this.#endedAt !== undefined) return;
    this.#endedAt = reading;
    if (this.#span !== undefined) end(this.#span, reading);
  }

  end(_endTime?: TimeInput): void {
    this.endAt(performance.now());
  }

  spanContext(): SpanContext {
    return this.#real().spanContext();
  }

  isRecording(): boolean {
    return this.#endedAt === undefined && this.#real().isRecording();
  }

  setAttribute(key: string, value: AttributeValue): this {
    this.#real().setAttribute(key, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    this.#real().setAttributes(attributes);
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    this.#real().addEvent(name, attributesOrTime, time);
    return this;
  }

  addLink(link: Link): this {
    this.#real().addLink(link);
    return this;
  }

  addLinks(links: Link[]): this {
    this.#real().addLinks(links);
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.#real().setStatus(status);
    return this;
  }

  updateName(name: string): this {
    this.#real().updateName(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    this.#real().recordException(exception, time);
  }

  #real(): Span {
    if (this.#span === undefined) {
      this.#span = this.#make();
      if (this.#endedAt !== undefined) end(this.#span, this.#endedAt);
    }
    return this.#span;
  }
}

function end(span: Span, reading: number): void {
  // A span that is not recorded has no end.
  (span as { endAt?: (reading: number) => void }).endAt?.(reading);
}
