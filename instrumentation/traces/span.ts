import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type Link,
  type Span,
  type SpanAttributes,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
} from '@opentelemetry/api';
import { cleanAttributes, isAnyValue, isSimpleAttributeValue, isTimeInput, timeInputToHrTime } from '@opentelemetry/core';
import { type HrTime, wallTime } from '../clock.ts';
import { type EventRecord, type LinkRecord, linkedContext, type SpanRecord } from '../export/span-record.ts';
import { SCOPE } from '../names.ts';

export interface SpanLimits {
  readonly attributes: number;
  readonly attributeLength: number;
  readonly events: number;
  readonly links: number;
}

/** Texts and numbers; see {@link KitSpan.share}. */
export interface SharedAttributes {
  readonly attributes: Readonly<Attributes>;
  readonly count: number;
  /** Length of the longest text. */
  readonly longest: number;
}

/** @param attributes texts and numbers; never changed from now on */
export function shareable(attributes: Readonly<Attributes>): SharedAttributes {
  const values = Object.values(attributes);
  const longest = Math.max(0, ...values.map((value) => (typeof value === 'string' ? value.length : 0)));
  return { attributes, count: values.length, longest };
}

/** Gives a span attributes that it may have in common with others, whichever kind of span it is. */
export function setShared(span: Span, shared: SharedAttributes): void {
  if ((span as Partial<KitSpan>).share?.(shared) !== true) span.setAttributes(shared.attributes);
}

/** Where finished spans go, and the bounds they keep. */
export interface SpanHome {
  readonly limits: SpanLimits;
  readonly version: string;
  push(record: SpanRecord): void;
}

/**
 * A recording span of the request path. It does what OpenTelemetry's API asks of a span at a tenth of the cost of the SDK's
 * own, because its maker has already taken the sampling decision and its attributes are ours until it ends.
 *
 * @see https://opentelemetry.io/docs/specs/otel/trace/api/#span
 */
export class KitSpan implements Span {
  name: string;
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  readonly attributes: Attributes = {};
  readonly kind: SpanKind;
  readonly #home: SpanHome;
  readonly #context: SpanContext;
  readonly #parent: SpanContext | undefined;
  /** `performance.now()` at the start. */
  readonly #startedAt: number;
  #shared: Attributes | undefined;
  #count = 0;
  #dropped = 0;
  #events: EventRecord[] | undefined;
  #droppedEvents = 0;
  #links: LinkRecord[] | undefined;
  #droppedLinks = 0;
  #ended = false;

  constructor(
    home: SpanHome,
    name: string,
    kind: SpanKind,
    context: SpanContext,
    parent: SpanContext | undefined,
    startedAt: number,
  ) {
    this.#home = home;
    this.name = name;
    this.kind = kind;
    this.#context = context;
    this.#parent = parent;
    this.#startedAt = startedAt;
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.#ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.#ended || value === undefined || typeof key !== 'string' || key === '') return this;
    const isNew = !Object.hasOwn(this.attributes, key);
    if (isNew && this.#count >= this.#home.limits.attributes) {
      this.#dropped++;
      return this;
    }
    const copy = this.#copy(value, isAnyValue);
    if (copy === undefined) return this;
    if (isNew) this.#count++;
    put(this.attributes, key, copy);
    return this;
  }

  /**
   * Sets attributes that many spans have alike, all of them or none. They are in one object that is never changed, so they
   * are written once for all; their keys are not to be set again.
   *
   * @returns whether the span has taken them
   */
  share({ attributes, count, longest }: SharedAttributes): boolean {
    const { limits } = this.#home;
    if (this.#ended || this.#count + count > limits.attributes || longest > limits.attributeLength) return false;
    for (const key of Object.keys(this.attributes)) if (Object.hasOwn(attributes, key)) return false;
    this.#count += count;
    this.#shared = attributes;
    return true;
  }

  setAttributes(attributes: SpanAttributes): this {
    for (const key of Object.keys(attributes ?? {})) this.setAttribute(key, attributes[key] as AttributeValue);
    return this;
  }

  addEvent(name: string, attributesOrTime?: SpanAttributes | TimeInput, time?: TimeInput): this {
    if (this.#ended) return this;
    this.#events ??= [];
    if (this.#events.length >= this.#home.limits.events) {
      this.#events.shift();
      this.#droppedEvents++;
    }
    const timed = isTimeInput(attributesOrTime);
    const attributes = timed ? undefined : attributesOrTime;
    this.#events.push({
      name: String(name),
      time: hrTime(timed ? attributesOrTime : time),
      ...this.#clean(attributes, isSimpleAttributeValue),
    });
    return this;
  }

  addLink(link: Link): this {
    if (this.#ended || typeof link?.context !== 'object') return this;
    this.#links ??= [];
    if (this.#links.length >= this.#home.limits.links) {
      this.#links.shift();
      this.#droppedLinks++;
    }
    this.#links.push({ context: linkedContext(link.context), ...this.#clean(link.attributes, isAnyValue) });
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links ?? []) this.addLink(link);
    return this;
  }

  setStatus(status: SpanStatus): this {
    if (this.#ended || !status?.code || this.status.code === SpanStatusCode.OK) return this;
    const message = status.code === SpanStatusCode.ERROR && typeof status.message === 'string' ? status.message : undefined;
    this.status = { code: status.code, message };
    return this;
  }

  updateName(name: string): this {
    if (!this.#ended) this.name = String(name);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    if (!this.#ended) this.addEvent('exception', describe(exception), time);
  }

  end(endTime?: TimeInput): void {
    if (this.#ended) return;
    const start = wallTime(this.#startedAt);
    this.finish(start, endTime === undefined ? wallTime(performance.now()) : hrTime(endTime));
  }

  /** Ends the span at a `performance.now()` reading. */
  endAt(reading: number): void {
    if (!this.#ended) this.finish(wallTime(this.#startedAt), wallTime(reading));
  }

  private finish(start: HrTime, end: HrTime): void {
    this.#ended = true;
    const parent = this.#parent;
    const { traceId, spanId, traceFlags, traceState } = this.#context;
    if (!(traceFlags & TraceFlags.SAMPLED)) return;
    this.#home.push({
      traceId,
      spanId,
      parentSpanId: parent?.spanId,
      parentIsRemote: parent?.isRemote === true,
      traceFlags,
      traceState: traceState?.serialize(),
      name: this.name,
      kind: this.kind,
      start,
      end: earlier(end, start) ? start : end,
      statusCode: this.status.code,
      statusMessage: this.status.message,
      attributes: this.attributes,
      shared: this.#shared,
      events: this.#events ?? NONE,
      links: this.#links ?? NONE,
      droppedAttributes: this.#dropped,
      droppedEvents: this.#droppedEvents,
      droppedLinks: this.#droppedLinks,
      scope: SCOPE,
      scopeVersion: this.#home.version,
    });
  }

  #clean(
    attributes: SpanAttributes | undefined,
    isValid: (value: unknown) => boolean,
  ): { attributes?: Attributes; droppedAttributesCount?: number } {
    if (typeof attributes !== 'object' || attributes === null) return {};
    const kept: Attributes = {};
    let count = 0;
    let dropped = 0;
    for (const key of Object.keys(attributes)) {
      const value = attributes[key];
      if (value === undefined) continue;
      const copy = key !== '' && count < this.#home.limits.attributes ? this.#copy(value, isValid) : undefined;
      if (copy === undefined) dropped++;
      else {
        put(kept, key, copy);
        count++;
      }
    }
    return { attributes: kept, droppedAttributesCount: dropped };
  }

  /** A copy that the app cannot change any more, cut to the limit; undefined for what is no attribute value. */
  #copy(value: AttributeValue, isValid: (value: unknown) => boolean): AttributeValue | undefined {
    const most = this.#home.limits.attributeLength;
    switch (typeof value) {
      case 'string':
        return value.length > most ? value.slice(0, most) : value;
      case 'number':
      case 'boolean':
        return value;
      default:
        if (!isValid(value)) return undefined;
        return cleanAttributes({ value }, { attributeCountLimit: 1, attributeValueLengthLimit: most }).attributes?.value;
    }
  }
}

const NONE: readonly never[] = [];

/** Defined, not assigned, where the key is `__proto__`: it is a key like any other here. */
function put(attributes: Attributes, key: string, value: AttributeValue): void {
  if (key === '__proto__')
    Object.defineProperty(attributes, key, { value, enumerable: true, configurable: true, writable: true });
  else attributes[key] = value;
}

/** Attributes of an `exception` event for anything that can be thrown. Never throws. */
function describe(exception: unknown): Attributes {
  const attributes: Attributes = {};
  try {
    if (typeof exception !== 'object' || exception === null) return { 'exception.message': String(exception) };
    const { code, name, message, stack } = exception as { code?: unknown; name?: unknown; message?: unknown; stack?: unknown };
    if (code !== undefined || name) attributes['exception.type'] = String(code ?? name);
    if (message) attributes['exception.message'] = String(message);
    if (stack) attributes['exception.stacktrace'] = String(stack);
  } catch {
    // A property that cannot be read or written as text.
  }
  return attributes;
}

function hrTime(time: TimeInput | undefined): HrTime {
  return time === undefined ? wallTime(performance.now()) : (timeInputToHrTime(time) as HrTime);
}

function earlier(a: HrTime, b: HrTime): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}
