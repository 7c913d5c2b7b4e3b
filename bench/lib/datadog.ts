import type { Counter, SpanClass } from './counts.ts';

/** What dd-trace asks of an agent. Addresses as Datadog's agent answers them. */
export const AGENT_INFO = { version: '7.60.0', endpoints: ['/v0.4/traces'], client_drop_p0s: false };

/** A body of `/v0.4/traces`: a list of traces, each a list of spans. */
export function countDatadog(body: Buffer, counter: Counter): void {
  for (const trace of decodeMsgpack(body) as Record<string, any>[][]) {
    for (const span of trace) counter.span(classOf(span), `${span.trace_id} ${span.span_id}`);
  }
}

function classOf({ type, meta }: Record<string, any>): SpanClass {
  const kind = meta?.['span.kind'];
  if (kind === 'server') return 'server';
  if (kind !== 'client') return 'other';
  return type === 'sql' ? 'pg' : type === 'http' ? 'fetch' : 'other';
}

/**
 * Decodes the one value of a body.
 *
 * @throws a RangeError where it is cut, an Error at a type that traces do not use.
 * @see https://github.com/msgpack/msgpack/blob/master/spec.md
 */
export function decodeMsgpack(body: Buffer): unknown {
  let at = 0;
  return value();

  function uint(bytes: 1 | 2 | 4): number {
    at += bytes;
    return body.readUIntBE(at - bytes, bytes);
  }

  function text(length: number): string {
    at += length;
    if (at > body.length) throw new RangeError('a text is cut');
    return body.toString('utf8', at - length, at);
  }

  function list(length: number): unknown[] {
    const items: unknown[] = [];
    for (let i = 0; i < length; i++) items.push(value());
    return items;
  }

  function map(length: number): Record<string, unknown> {
    const entries: Record<string, unknown> = Object.create(null);
    for (let i = 0; i < length; i++) entries[String(value())] = value();
    return entries;
  }

  function value(): unknown {
    const type = uint(1);
    if (type < 0x80) return type;
    if (type < 0x90) return map(type & 0x0f);
    if (type < 0xa0) return list(type & 0x0f);
    if (type < 0xc0) return text(type & 0x1f);
    if (type >= 0xe0) return type - 0x100;
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xd9:
        return text(uint(1));
      case 0xc5:
      case 0xda:
        return text(uint(2));
      case 0xc6:
      case 0xdb:
        return text(uint(4));
      case 0xca:
        at += 4;
        return body.readFloatBE(at - 4);
      case 0xcb:
        at += 8;
        return body.readDoubleBE(at - 8);
      case 0xcc:
        return uint(1);
      case 0xcd:
        return uint(2);
      case 0xce:
        return uint(4);
      case 0xcf:
        at += 8;
        return body.readBigUInt64BE(at - 8);
      case 0xd0:
        at += 1;
        return body.readInt8(at - 1);
      case 0xd1:
        at += 2;
        return body.readInt16BE(at - 2);
      case 0xd2:
        at += 4;
        return body.readInt32BE(at - 4);
      case 0xd3:
        at += 8;
        return body.readBigInt64BE(at - 8);
      case 0xdc:
        return list(uint(2));
      case 0xdd:
        return list(uint(4));
      case 0xde:
        return map(uint(2));
      case 0xdf:
        return map(uint(4));
      default:
        throw new Error(`msgpack type 0x${type.toString(16)} at ${at - 1}`);
    }
  }
}
