/** How a call of gRPC ended. */
export interface Status {
  readonly code: number;
  readonly details: string;
  readonly metadata: unknown;
}

export const OK = 0;
export const CANCELLED = 1;
export const UNKNOWN = 2;

/** By code. @see https://grpc.io/docs/guides/status-codes/ */
const NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/**
 * What is the server's error, not its caller's.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
 */
const OF_SERVER = new Set(['UNKNOWN', 'DEADLINE_EXCEEDED', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']);

export function statusName(code: number): string {
  return NAMES[code] ?? '_OTHER';
}

export function isServerFailure(code: number): boolean {
  return OF_SERVER.has(statusName(code)) || NAMES[code] === undefined;
}

/** Host and port of a target: `host:port`, `dns:///host:port`, `ipv6:[::1]:port`, `unix:/path`. */
export function addressOf(target: string): { readonly address: string; readonly port: number | undefined } {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:(?=\/\/|[^\d])(\/\/[^/]*\/)?|^(dns|ipv4|ipv6|unix):/i, '');
  const [, address = path, port] = /^\[?(.*?)\]?:(\d+)$/.exec(path) ?? [];
  return { address: address.slice(0, 255), port: port === undefined ? undefined : Number(port) };
}
