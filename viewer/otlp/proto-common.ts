import { type Attributes, attributes, type Resource, type Scope, serviceOf, type Value } from '../model.ts';
import { DecodeError, MAX_DEPTH } from './errors.ts';
import { BYTES, FIXED64, field, type Reader, VARINT } from './reader.ts';

const VALUE = {
  string: field(1, BYTES),
  bool: field(2, VARINT),
  int: field(3, VARINT),
  double: field(4, FIXED64),
  array: field(5, BYTES),
  kvlist: field(6, BYTES),
  bytes: field(7, BYTES),
};
const FIRST = field(1, BYTES);
const SECOND = field(2, BYTES);
const THIRD = field(3, BYTES);

/** `AnyValue`; null where no value is set. Like every reader here, it starts at the length before the message. */
export function anyValue(r: Reader, depth = 0): Value {
  if (depth > MAX_DEPTH) throw new DecodeError(`values nested deeper than ${MAX_DEPTH}`);
  let value: Value = null;
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === VALUE.string) value = r.string();
    else if (tag === VALUE.int) value = r.int64();
    else if (tag === VALUE.bool) value = r.bool();
    else if (tag === VALUE.double) value = r.double();
    else if (tag === VALUE.array) value = array(r, depth + 1);
    else if (tag === VALUE.kvlist) value = kvlist(r, depth + 1);
    else if (tag === VALUE.bytes) value = r.bytes();
    else r.skip();
  }
  r.leave(outer);
  return value;
}

function array(r: Reader, depth: number): Value[] {
  const values: Value[] = [];
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === FIRST) values.push(anyValue(r, depth));
    else r.skip();
  }
  r.leave(outer);
  return values;
}

function kvlist(r: Reader, depth: number): Attributes {
  const into = attributes();
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === FIRST) keyValue(r, into, depth);
    else r.skip();
  }
  r.leave(outer);
  return into;
}

/** `KeyValue`, put into `into`; a later value of the same key wins. */
export function keyValue(r: Reader, into: Attributes, depth = 0): void {
  let key = '';
  let value: Value = null;
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === FIRST) key = r.string();
    else if (tag === SECOND) value = anyValue(r, depth);
    else r.skip();
  }
  r.leave(outer);
  into[key] = value;
}

export function resource(r: Reader): Resource {
  const into = attributes();
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === FIRST) keyValue(r, into);
    else r.skip();
  }
  r.leave(outer);
  return { service: serviceOf(into), attributes: into };
}

export function scope(r: Reader): Scope {
  const into: Scope = { name: '', version: '', attributes: attributes() };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === FIRST) into.name = r.string();
    else if (tag === SECOND) into.version = r.string();
    else if (tag === THIRD) keyValue(r, into.attributes);
    else r.skip();
  }
  r.leave(outer);
  return into;
}

/**
 * The frame that all three requests share: `Export…Request { repeated Resource… = 1 }`,
 * `Resource… { Resource = 1; repeated Scope… = 2 }`, `Scope… { scope = 1; repeated record = 2 }`.
 * A sender may write the resource after its records, so that it is looked up first.
 */
export function request(r: Reader, record: (r: Reader, resource: Resource, scope: Scope) => void): void {
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag !== FIRST) {
      r.skip();
      continue;
    }
    const outer = r.enter();
    const from = first(r, resource) ?? { service: serviceOf(attributes()), attributes: attributes() };
    for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
      if (tag === SECOND) scoped(r, from, record);
      else r.skip();
    }
    r.leave(outer);
  }
}

function scoped(r: Reader, from: Resource, record: (r: Reader, resource: Resource, scope: Scope) => void): void {
  const outer = r.enter();
  const by = first(r, scope) ?? { name: '', version: '', attributes: attributes() };
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === SECOND) record(r, from, by);
    else r.skip();
  }
  r.leave(outer);
}

/** Reads field 1 of the current message, wherever it stands, and goes back to the message's start. */
function first<T>(r: Reader, read: (r: Reader) => T): T | undefined {
  const start = r.pos;
  let found: T | undefined;
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    if (tag === FIRST) {
      found = read(r);
      // Every known sender writes it first: done, without a walk over the records.
      break;
    }
    r.skip();
  }
  r.pos = start;
  return found;
}
