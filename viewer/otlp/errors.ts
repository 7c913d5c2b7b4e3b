/** The body is not what its content type says: answered with 400, never retried by an exporter. */
export class DecodeError extends Error {
  override name = 'DecodeError';
}

/** Values nested deeper than this are refused: no real telemetry is, and recursion must end. */
export const MAX_DEPTH = 32;
