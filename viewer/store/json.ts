import type { JsonAttributes, JsonValue } from '../api-types.ts';
import type { Attributes, Value } from '../model.ts';

/** A value as JSON can say it: see {@link JsonValue}. */
export function jsonValue(value: Value): JsonValue {
  switch (typeof value) {
    case 'bigint':
      return String(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      if (value === null) return null;
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
      return Array.isArray(value) ? value.map(jsonValue) : jsonAttributes(value);
    default:
      return value;
  }
}

export function jsonAttributes(attributes: Attributes): JsonAttributes {
  // Nearly all attributes are plain: no copy then.
  if (isPlain(attributes)) return attributes as JsonAttributes;
  const out: JsonAttributes = Object.create(null);
  for (const key in attributes) out[key] = jsonValue(attributes[key]);
  return out;
}

function isPlain(attributes: Attributes): boolean {
  for (const key in attributes) {
    const value = attributes[key];
    const type = typeof value;
    if (type === 'object' || type === 'bigint' || (type === 'number' && !Number.isFinite(value))) return false;
  }
  return true;
}

const WIDE = /[^\x00-\xff]/;

/** Bytes that V8 takes for a text: one a character as long as all are Latin-1. */
export function textBytes(text: string): number {
  return 24 + (WIDE.test(text) ? 2 * text.length : text.length);
}
