import type { Attributes, AttributeValue } from '@opentelemetry/api';
import type { HrTime } from '../clock.ts';
import type { Redactor } from '../redaction.ts';
import { type Clean, cleanerOf } from './clean.ts';
import type { SpanRecord } from './span-record.ts';

/** A span as OTLP writes it in JSON, with the text of its instrumentation scope. */
export interface EncodedSpan {
  readonly scope: string;
  readonly json: string;
}

const MOST_DEPTH = 8;
const IS_REMOTE_KNOWN = 0x100;
const IS_REMOTE = 0x200;
const MOST_KEYS = 2000;
const MOST_WRITTEN = 16;
const LONGEST_WRITTEN = 64;
/** After so many misses in a row the values of a key are taken to be always new. */
const MOST_MISSED = 1000;
const MOST_HEADINGS = 500;

interface Key {
  /** `{"key":"http.route","value":` */
  readonly prefix: string;
  readonly clean: Clean | undefined;
  /** The first few values, finished: methods, routes, hosts and status codes come again with every request. */
  readonly written: Map<unknown, string>;
  /** How often in a row none of them was it. */
  missed: number;
}

let scopeName: string | undefined;
let scopeVersion: string | undefined;
let scopeText = '';

/**
 * Writes spans as elements of OTLP's `spans`. By hand, because going through the SDK's objects and `JSON.stringify` costs
 * several times as much, and text crosses to the export thread as one copy where an object is cloned member by member.
 *
 * @param redactor removes secrets on the way; without it, nothing is looked at
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
export function createSpanEncoder(redactor?: Redactor): (span: SpanRecord) => EncodedSpan {
  const members = createMemberWriter(redactor);
  const write = (values: Attributes | undefined) => `[${members(values)}]`;
  const shared = new WeakMap<Attributes, string>();
  const text = redactor?.text ?? ((value: string) => value);

  function event({ name, time, attributes: own, droppedAttributesCount }: SpanRecord['events'][number]): string {
    const dropped = droppedAttributesCount ? `,"droppedAttributesCount":${droppedAttributesCount}` : '';
    return `{"timeUnixNano":"${nanos(time)}","name":${JSON.stringify(name)},"attributes":${write(own)}${dropped}}`;
  }

  function link({ context, attributes: own, droppedAttributesCount }: SpanRecord['links'][number]): string {
    const dropped = droppedAttributesCount ? `,"droppedAttributesCount":${droppedAttributesCount}` : '';
    const flags = (context.traceFlags & 0xff) | IS_REMOTE_KNOWN | (context.isRemote ? IS_REMOTE : 0);
    const state = context.traceState ? `,"traceState":${JSON.stringify(context.traceState)}` : '';
    return `{"traceId":"${context.traceId}","spanId":"${context.spanId}"${state},"attributes":${write(own)}${dropped},"flags":${flags}}`;
  }

  function attributes(span: SpanRecord): string {
    const own = members(span.attributes);
    if (span.shared === undefined) return own;
    let text = shared.get(span.shared);
    if (text === undefined) {
      text = flat(members(span.shared));
      shared.set(span.shared, text);
    }
    return own === '' || text === '' ? text + own : `${text},${own}`;
  }

  return (span) => {
    const { parentSpanId, traceState, events, links } = span;
    const flags = (span.traceFlags & 0xff) | IS_REMOTE_KNOWN | (parentSpanId && span.parentIsRemote ? IS_REMOTE : 0);
    let json = `{"traceId":"${span.traceId}","spanId":"${span.spanId}"`;
    if (traceState) json += `,"traceState":${JSON.stringify(traceState)}`;
    if (parentSpanId) json += `,"parentSpanId":"${parentSpanId}"`;
    json += `${heading(flags, span.name, span.kind)}${nanos(span.start)}","endTimeUnixNano":"${nanos(span.end)}","attributes":[${attributes(span)}]`;
    if (span.droppedAttributes > 0) json += `,"droppedAttributesCount":${span.droppedAttributes}`;
    if (events.length > 0) json += `,"events":[${events.map(event).join(',')}]`;
    if (span.droppedEvents > 0) json += `,"droppedEventsCount":${span.droppedEvents}`;
    if (links.length > 0) json += `,"links":[${links.map(link).join(',')}]`;
    if (span.droppedLinks > 0) json += `,"droppedLinksCount":${span.droppedLinks}`;
    json += `,"status":{"code":${span.statusCode}`;
    if (span.statusMessage) json += `,"message":${JSON.stringify(text(span.statusMessage))}`;
    return { scope: scope(span.scope, span.scopeVersion), json: `${json}}}` };
  };
}

const headings = new Map<string, { readonly flags: number; readonly kind: number; readonly text: string }>();

/** What stands between a span's ids and its times: few, since a span is named after a route or an operation. */
function heading(flags: number, name: string, kind: number): string {
  const known = headings.get(name);
  if (known !== undefined && known.flags === flags && known.kind === kind) return known.text;
  // The API counts kinds from 0 (internal), OTLP from 0 (unspecified).
  const text = flat(`,"flags":${flags},"name":${JSON.stringify(name)},"kind":${kind + 1},"startTimeUnixNano":"`);
  if (known !== undefined || (headings.size < MOST_HEADINGS && name.length < 256)) headings.set(name, { flags, kind, text });
  return text;
}

/** V8 keeps a text that was put together as a tree of its parts; what is written many times is better off as one. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

function scope(name: string, version: string | undefined): string {
  if (name === scopeName && version === scopeVersion) return scopeText;
  scopeName = name;
  scopeVersion = version;
  scopeText = version
    ? `{"name":${JSON.stringify(name)},"version":${JSON.stringify(version)}}`
    : `{"name":${JSON.stringify(name)}}`;
  return scopeText;
}

let second = -1;
let secondText = '';
/** 000 to 999. */
const THREE_DIGITS = Array.from({ length: 1000 }, (_, number) => String(number).padStart(3, '0'));
const NANOS_A_SECOND = 1e9;
/** As many as 64 bits hold in nanoseconds. */
const MOST_SECONDS = 18_446_744_072;

/**
 * The nanoseconds from a table: V8 caches the texts of numbers, thousands of them. Those of numbers that never come again
 * outlive collections of the young generation for nothing, and V8 lets it grow: by 26 MB in half a minute of load.
 *
 * An app may give any two numbers for a time. What is none would have the backend refuse the whole export, so it becomes one.
 */
function nanos([seconds, nanoseconds]: HrTime): string {
  if (seconds !== second) {
    second = seconds;
    secondText = String(whole(seconds, MOST_SECONDS));
  }
  const rest = whole(nanoseconds, NANOS_A_SECOND - 1);
  const micros = Math.floor(rest / 1000);
  return secondText + THREE_DIGITS[Math.floor(micros / 1000)] + THREE_DIGITS[micros % 1000] + THREE_DIGITS[rest % 1000];
}

/** The nearest whole number from 0 to the most. */
function whole(number: number, most: number): number {
  return Math.trunc(Math.min(Math.max(number, 0), most)) || 0;
}

/** Writes attributes as a list of OTLP's `KeyValue`s. @param redactor see {@link createSpanEncoder} */
export function createAttributeWriter(redactor?: Redactor): (values: Attributes | undefined) => string {
  const members = createMemberWriter(redactor);
  return (values) => `[${members(values)}]`;
}

/** Without the brackets. */
function createMemberWriter(redactor?: Redactor): (values: Attributes | undefined) => string {
  // Made once a key: keys are few and known.
  const keys = new Map<string, Key>();

  function keyOf(name: string): Key {
    const known = keys.get(name);
    if (known !== undefined) return known;
    const made = {
      prefix: `{"key":${JSON.stringify(name)},"value":`,
      clean: redactor && cleanerOf(name, redactor),
      written: new Map(),
      missed: 0,
    };
    if (keys.size < MOST_KEYS && name.length < 256) keys.set(name, made);
    return made;
  }

  function anyValue(value: unknown, clean: Clean | undefined, depth: number): string {
    switch (typeof value) {
      case 'string':
        return `{"stringValue":${JSON.stringify(clean === undefined ? value : clean(value))}}`;
      case 'number':
        if (Number.isSafeInteger(value)) return `{"intValue":"${value}"}`;
        // JSON has no NaN and no infinities; protobuf's JSON mapping writes them as texts.
        return Number.isFinite(value) ? `{"doubleValue":${value}}` : `{"doubleValue":"${value}"}`;
      case 'boolean':
        return `{"boolValue":${value}}`;
      case 'object':
        break;
      default:
        return '{}';
    }
    if (value === null || depth > MOST_DEPTH) return '{}';
    if (Array.isArray(value))
      return `{"arrayValue":{"values":[${value.map((each: AttributeValue) => anyValue(each, clean, depth + 1)).join(',')}]}}`;
    if (value instanceof Uint8Array) return `{"bytesValue":"${Buffer.from(value).toString('base64')}"}`;
    const members = Object.entries(value).map(([name, each]) => {
      const key = keyOf(name);
      return `${key.prefix}${anyValue(each, key.clean, depth + 1)}}`;
    });
    return `{"kvlistValue":{"values":[${members.join(',')}]}}`;
  }

  return (values) => {
    if (values === undefined) return '';
    let json = '';
    for (const name of Object.keys(values)) {
      const value = values[name];
      if (value === undefined || value === null) continue;
      const key = keyOf(name);
      // A look needs the text's hash, made for nothing where each is new (paths, ids): without, a span takes 0.86 of the time.
      let member = key.missed < MOST_MISSED ? key.written.get(value) : undefined;
      if (member !== undefined) key.missed = 0;
      else {
        member = `,${key.prefix}${anyValue(value, key.clean, 0)}}`;
        const again = typeof value === 'number' || (typeof value === 'string' && value.length <= LONGEST_WRITTEN);
        if (key.written.size >= MOST_WRITTEN) key.missed++;
        else if (again) {
          member = flat(member);
          key.written.set(value, member);
        }
      }
      json = json === '' ? member.slice(1) : json + member;
    }
    return json;
  };
}
