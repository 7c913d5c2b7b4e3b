import type { Decoded, Signal } from '../model.ts';
import type { Encoding } from './decode.ts';

const REJECTED = { traces: 'rejectedSpans', logs: 'rejectedLogRecords', metrics: 'rejectedDataPoints' } as const;

/** An `Export…ServiceResponse`: empty, or with `partial_success` where records had to be refused. */
export function exportReply(signal: Signal, encoding: Encoding, { rejected, reason }: Omit<Decoded<unknown>, 'records'>) {
  if (encoding === 'json') {
    const body = rejected === 0 ? {} : { partialSuccess: { [REJECTED[signal]]: String(rejected), errorMessage: reason } };
    return Buffer.from(JSON.stringify(body));
  }
  if (rejected === 0) return Buffer.alloc(0);
  return bytes(1, Buffer.concat([Buffer.from([8]), varint(rejected), bytes(2, Buffer.from(reason))]));
}

/** A `google.rpc.Status`, the body that OTLP/HTTP wants with every error. */
export function errorReply(encoding: Encoding, message: string): Buffer {
  return encoding === 'json' ? Buffer.from(JSON.stringify({ message })) : bytes(2, Buffer.from(message));
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

function varint(n: number): Buffer {
  const out: number[] = [];
  for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) + 128);
  out.push(n);
  return Buffer.from(out);
}
