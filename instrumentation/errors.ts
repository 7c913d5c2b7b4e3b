/**
 * Every error that the kit raises on purpose, with its code. The preload never lets one reach the app: they are
 * reported by diagnostics.ts, and the CLI prints `message` and exits 1.
 */
export const ERROR_CODES = {
  O11Y_UNSUPPORTED_NODE: 'This Node.js version is older than the kit supports.',
  O11Y_BAD_SETTING: 'A setting has a value that is not allowed.',
  O11Y_PORT_TAKEN: 'A port that was asked for by hand is in use.',
  O11Y_ALREADY_STARTED: 'The preload was imported a second time in one process.',
  O11Y_FOREIGN_SDK: 'Another telemetry SDK is already active in this process.',
  O11Y_WORKER: 'The export thread could not be started or has died.',
  O11Y_METRIC: 'A metric could not be registered or collected.',
  O11Y_INSTRUMENTATION: 'A library could not be wired.',
  O11Y_TIMEOUT: 'An operation exceeded its time limit.',
  O11Y_USAGE: 'The command line could not be understood.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The kit's only error class. `code` is stable; `message` says what was wrong, where, and what happens now. */
export class KitError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, detail: string, options?: { cause?: unknown }) {
    super(detail, options);
    this.name = 'KitError';
    this.code = code;
  }
}
