/**
 * What can go wrong in the kit itself. Nothing of it ever reaches the app: it is said in one line on stderr that starts
 * with the code, and the app goes on. The codes are stable; `docs/errors.md` is generated from this table.
 */
export const ERROR_CODES = {
  O11Y_UNSUPPORTED_NODE: {
    meaning: 'This Node.js version is older than the kit supports.',
    effect: 'Nothing is started; the app runs without telemetry.',
    remedy: 'Run the app with Node.js 20.6 or later, better 22.15 or later.',
  },
  O11Y_ALREADY_STARTED: {
    meaning: 'The preload was imported a second time in one process.',
    effect: 'The first one goes on; the second does nothing.',
    remedy: 'Name the preload once: in NODE_OPTIONS or on the command line.',
  },
  O11Y_BAD_SETTING: {
    meaning: 'A setting has a value that is not allowed.',
    effect: 'The default is used; the message says which.',
    remedy: 'Take one of the values that the message names. `o11y-kit doctor` checks all settings at once.',
  },
  O11Y_PORT_TAKEN: {
    meaning: 'No port could be had for /metrics and /health.',
    effect: 'They are not served. Everything else works; pushed metrics too.',
    remedy: 'Free the port, or set OTEL_EXPORTER_PROMETHEUS_PORT to another, or to nothing: then the next free one is taken.',
  },
  O11Y_FOREIGN_SDK: {
    meaning: 'Another telemetry SDK is active in this process.',
    effect: 'It makes the spans; the kit keeps to metrics, logs, correlation ids and health.',
    remedy: 'Remove the other SDK to have the spans of o11y-kit.',
  },
  O11Y_INSTRUMENTATION: {
    meaning: 'A library could not be wired.',
    effect: 'The app goes on without the telemetry of that library.',
    remedy: 'Compare its version with docs/libraries.md. OTEL_NODE_DISABLED_INSTRUMENTATIONS leaves a library alone.',
  },
  O11Y_CLASSIFIER: {
    meaning: "The app's classifier of errors threw, or gave something that is no category.",
    effect: 'The built-in classifier gives the category of that error.',
    remedy: 'Return retriable, transient, fatal, invalid_input or undefined, at once and not as a promise.',
  },
  O11Y_METRIC: {
    meaning: 'A metric could not be registered, recorded or collected, or has too many series.',
    effect: 'That metric is missing or incomplete; all others are shown.',
    remedy: 'The message names the metric and the reason: a name used twice, a bad label or value, unbounded label values.',
  },
  O11Y_WORKER: {
    meaning: 'A thread that delivers telemetry could not be started or has died.',
    effect: 'What it held is lost and counted. The export thread is started again; the message says what happens.',
    remedy: 'The message has the cause: most often memory or a limit of threads.',
  },
} as const satisfies Record<`O11Y_${string}`, { meaning: string; effect: string; remedy: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;
