import { type Attributes, attributes, type Resource, type Scope, serviceOf, type Value } from '../model.ts';
import { DecodeError, MAX_DEPTH } from './errors.ts';
import { exact } from './reader.ts';

/** What `JSON.parse` gave, not yet looked at. */
export type Json = { [key: string]: unknown };

/**
 * Integers of 64 bits that a sender wrote as bare numbers; `JSON.parse` would round them. In JSON text a key's quotes
 * are never escaped, so that no string value can look like this.
 */
const BARE_INT64 = /("(?:\w*[tT]imeUnixNano|intValue|asInt)"\s*:\s*)(-?\d{16,20})(?=\s*[,}])/g;

/** Whether there can be any: senders write them as strings, as they should, and the search above is a slow one. */
const BARE_LONG = /:\s*-?\d{16}/;

/** Parses an OTLP/JSON body. @throws {DecodeError} */
export function parse(body: Buffer): Json {
  let text = body.toString('utf8');
  // JSON.parse does not take a byte order mark, .NET writes one.
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  try {
    const json = JSON.parse(BARE_LONG.test(text) ? text.replace(BARE_INT64, '$1"$2"') : text);
    if (isObject(json)) return json;
  } catch (error) {
    throw new DecodeError(`not JSON: ${(error as Error).message}`);
  }
  throw new DecodeError('the body is no JSON object');
}

/** The frame that all three requests share; see `request` in proto-common.ts. */
export function request(
  body: Json,
  names: { resources: string; scopes: string; records: string },
  record: (json: Json, resource: Resource, scope: Scope) => void,
): void {
  for (const perResource of objects(body, names.resources)) {
    const from = resource(optional(perResource, 'resource'));
    for (const perScope of objects(perResource, names.scopes)) {
      const by = scope(optional(perScope, 'scope'));
      for (const json of objects(perScope, names.records)) record(json, from, by);
    }
  }
}

function resource(json: Json): Resource {
  const into = keyValues(json, 'attributes');
  return { service: serviceOf(into), attributes: into };
}

function scope(json: Json): Scope {
  return { name: text(json, 'name'), version: text(json, 'version'), attributes: keyValues(json, 'attributes') };
}

/** A repeated `KeyValue`. */
export function keyValues(json: Json, key: string, depth = 0): Attributes {
  const into = attributes();
  for (const pair of objects(json, key)) into[text(pair, 'key')] = anyValue(pair.value, depth);
  return into;
}

/** `AnyValue`; null where no value is set. */
export function anyValue(json: unknown, depth = 0): Value {
  if (json === undefined || json === null) return null;
  if (!isObject(json)) throw new DecodeError(`a value is an object such as {"stringValue": "…"}, got ${brief(json)}`);
  if (depth > MAX_DEPTH) throw new DecodeError(`values nested deeper than ${MAX_DEPTH}`);
  if (typeof json.stringValue === 'string') return json.stringValue;
  if (json.intValue !== undefined)
    return Number.isSafeInteger(json.intValue) ? (json.intValue as number) : exact(int64(json, 'intValue'));
  if (typeof json.boolValue === 'boolean') return json.boolValue;
  if (json.doubleValue !== undefined) return double(json, 'doubleValue') ?? null;
  if (isObject(json.arrayValue)) {
    const values: Value[] = [];
    for (const item of objects(json.arrayValue, 'values')) values.push(anyValue(item, depth + 1));
    return values;
  }
  if (isObject(json.kvlistValue)) return keyValues(json.kvlistValue, 'values', depth + 1);
  if (typeof json.bytesValue === 'string') return new Uint8Array(Buffer.from(json.bytesValue, 'base64'));
  return null;
}

/** A repeated message; absent is empty. @throws {DecodeError} if it is anything but an array of objects. */
export function objects(json: Json, key: string): Json[] {
  const list = json[key];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new DecodeError(`${key}: an array wanted, got ${brief(list)}`);
  for (const item of list) {
    if (!isObject(item)) throw new DecodeError(`${key}: an array of objects wanted, got ${brief(item)} in it`);
  }
  return list;
}

/** A nested message; absent is empty. */
export function optional(json: Json, key: string): Json {
  const value = json[key];
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new DecodeError(`${key}: an object wanted, got ${brief(value)}`);
  return value;
}

export function text(json: Json, key: string): string {
  const value = json[key];
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw new DecodeError(`${key}: a string wanted, got ${brief(value)}`);
  return value;
}

/** Trace and span ids are hex in OTLP/JSON, not base64 as in protobuf's JSON mapping. */
export function hex(json: Json, key: string): string {
  return text(json, key).toLowerCase();
}

/** A 64 bit integer, written as a string or as a number. */
export function int64(json: Json, key: string): bigint {
  const value = json[key];
  if (value === undefined || value === null) return 0n;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  throw new DecodeError(`${key}: an integer wanted, got ${brief(value)}`);
}

/** A time in nanoseconds; protobuf has no negative ones. */
export function nanos(json: Json, key: string): bigint {
  return BigInt.asUintN(64, int64(json, key));
}

export function integer(json: Json, key: string): number {
  const value = json[key];
  // What it nearly always is, without the way over a bigint.
  if (value === undefined) return 0;
  if (Number.isSafeInteger(value)) return value as number;
  return Number(int64(json, key));
}

/** A double, with protobuf's spellings of what JSON cannot say. */
export function double(json: Json, key: string): number | undefined {
  const value = json[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  if (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))) return Number(value);
  throw new DecodeError(`${key}: a number wanted, got ${brief(value)}`);
}

export function numbers(json: Json, key: string): number[] {
  const list = json[key];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new DecodeError(`${key}: an array wanted, got ${brief(list)}`);
  return list.map((_, index) => double(list as unknown as Json, String(index)) ?? 0);
}

/** An enum, by number or by name (`SPAN_KIND_SERVER`, the last word of which is looked up). */
export function enumeration<T extends string>(json: Json, key: string, values: readonly T[]): T {
  const value = json[key];
  if (typeof value === 'string') {
    const name = value.slice(value.lastIndexOf('_') + 1).toLowerCase();
    return values.find((known) => known === name) ?? values[0];
  }
  return values[integer(json, key)] ?? values[0];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function brief(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return value === null ? 'null' : 'an object';
  return `${typeof value} ${JSON.stringify(value)?.slice(0, 40)}`;
}
