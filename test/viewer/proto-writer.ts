/** Writes protobuf for tests: fields that the official serialisers never write, in orders that they never use. */
type Part = Buffer;

export function message(...parts: Part[]): Buffer {
  return Buffer.concat(parts);
}

export function bytes(field: number, content: Buffer | string): Part {
  const body = Buffer.from(content as string);
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body]);
}

export function int(field: number, n: number | bigint): Part {
  return Buffer.concat([varint(field * 8), varint(n)]);
}

export function sint(field: number, n: number): Part {
  return int(field, n < 0 ? -2 * n - 1 : 2 * n);
}

export function fixed64(field: number, n: number | bigint): Part {
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(n)));
  return Buffer.concat([varint(field * 8 + 1), out]);
}

export function double(field: number, n: number): Part {
  const out = Buffer.alloc(8);
  out.writeDoubleLE(n);
  return Buffer.concat([varint(field * 8 + 1), out]);
}

export function fixed32(field: number, n: number): Part {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(n);
  return Buffer.concat([varint(field * 8 + 5), out]);
}

export function varint(n: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, BigInt(n));
  const out: number[] = [];
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) + 128);
  out.push(Number(rest));
  return Buffer.from(out);
}
