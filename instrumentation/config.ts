import {
  choice,
  flag,
  integer,
  list,
  matching,
  optionalChoice,
  optionalInteger,
  type Problem,
  pairs,
  prices,
  read,
  type Setting,
  text,
  url,
} from './settings.ts';

const PROTOCOLS = ['http/json', 'http/protobuf'] as const;
const COMPRESSIONS = ['gzip', 'none'] as const;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
const MAX_MS = 2 ** 31 - 1;

/**
 * Every setting of the kit: the variable, its default and what it does. This is the only table; `docs/configuration.md`
 * is generated from it. OpenTelemetry's own variables come first, `O11Y_*` where no standard one exists.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export const SETTINGS = {
  disabled: flag('OTEL_SDK_DISABLED', 'The kit starts nothing.'),
  serviceName: text('OTEL_SERVICE_NAME', '', 'Name of the service.', {
    fallbackText: 'name in the nearest package.json',
  }),
  resourceAttributes: pairs('OTEL_RESOURCE_ATTRIBUTES', 'Resource attributes of every span, log record and of target_info.'),
  endpoint: url('OTEL_EXPORTER_OTLP_ENDPOINT', 'http://localhost:4318', 'OTLP/HTTP address; /v1/traces and /v1/logs are added.'),
  tracesEndpoint: url(
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    '',
    'Full address for traces.',
    'OTEL_EXPORTER_OTLP_ENDPOINT/v1/traces',
  ),
  logsEndpoint: url('OTEL_EXPORTER_OTLP_LOGS_ENDPOINT', '', 'Full address for logs.', 'OTEL_EXPORTER_OTLP_ENDPOINT/v1/logs'),
  metricsEndpoint: url(
    'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
    '',
    'Full address for pushed metrics.',
    'OTEL_EXPORTER_OTLP_ENDPOINT/v1/metrics',
  ),
  headers: pairs('OTEL_EXPORTER_OTLP_HEADERS', 'Headers of every export request.', { secret: true }),
  tracesHeaders: pairs('OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'Further headers for traces.', { secret: true }),
  logsHeaders: pairs('OTEL_EXPORTER_OTLP_LOGS_HEADERS', 'Further headers for logs.', { secret: true }),
  metricsHeaders: pairs('OTEL_EXPORTER_OTLP_METRICS_HEADERS', 'Further headers for pushed metrics.', { secret: true }),
  timeout: integer('OTEL_EXPORTER_OTLP_TIMEOUT', 10_000, 1, MAX_MS, 'Milliseconds that one export may take, retries included.'),
  tracesTimeout: optionalInteger(
    'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
    1,
    MAX_MS,
    'The same for traces.',
    'OTEL_EXPORTER_OTLP_TIMEOUT',
  ),
  logsTimeout: optionalInteger('OTEL_EXPORTER_OTLP_LOGS_TIMEOUT', 1, MAX_MS, 'The same for logs.', 'OTEL_EXPORTER_OTLP_TIMEOUT'),
  metricsTimeout: optionalInteger(
    'OTEL_EXPORTER_OTLP_METRICS_TIMEOUT',
    1,
    MAX_MS,
    'The same for pushed metrics.',
    'OTEL_EXPORTER_OTLP_TIMEOUT',
  ),
  compression: optionalChoice(
    'OTEL_EXPORTER_OTLP_COMPRESSION',
    COMPRESSIONS,
    'Compression of export requests.',
    'none where the address is of this machine, gzip otherwise',
  ),
  tracesCompression: optionalChoice(
    'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION',
    COMPRESSIONS,
    'The same for traces.',
    'OTEL_EXPORTER_OTLP_COMPRESSION',
  ),
  logsCompression: optionalChoice(
    'OTEL_EXPORTER_OTLP_LOGS_COMPRESSION',
    COMPRESSIONS,
    'The same for logs.',
    'OTEL_EXPORTER_OTLP_COMPRESSION',
  ),
  metricsCompression: optionalChoice(
    'OTEL_EXPORTER_OTLP_METRICS_COMPRESSION',
    COMPRESSIONS,
    'The same for pushed metrics.',
    'OTEL_EXPORTER_OTLP_COMPRESSION',
  ),
  certificate: text('OTEL_EXPORTER_OTLP_CERTIFICATE', '', 'File with the CA certificates to trust (PEM).'),
  clientKey: text('OTEL_EXPORTER_OTLP_CLIENT_KEY', '', 'File with the private key for mutual TLS (PEM).'),
  clientCertificate: text('OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', '', 'File with the certificate for mutual TLS (PEM).'),
  protocol: choice('OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json', PROTOCOLS, 'Encoding of exports.'),
  tracesProtocol: optionalChoice(
    'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
    PROTOCOLS,
    'The same for traces.',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
  ),
  logsProtocol: optionalChoice(
    'OTEL_EXPORTER_OTLP_LOGS_PROTOCOL',
    PROTOCOLS,
    'The same for logs.',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
  ),
  metricsProtocol: optionalChoice(
    'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL',
    PROTOCOLS,
    'The same for pushed metrics.',
    'OTEL_EXPORTER_OTLP_PROTOCOL',
  ),
  tracesExporter: choice('OTEL_TRACES_EXPORTER', 'otlp', ['otlp', 'console', 'none'], 'Where spans go.'),
  logsExporter: choice(
    'OTEL_LOGS_EXPORTER',
    'otlp',
    ['otlp', 'console', 'none'],
    'Where log records go, beside where the app writes them.',
  ),
  metricsExporter: list(
    'OTEL_METRICS_EXPORTER',
    ['prometheus'],
    'How metrics leave: a page to scrape, pushed, both, or not at all.',
    {
      values: ['prometheus', 'otlp', 'none'],
    },
  ),
  metricExportInterval: integer('OTEL_METRIC_EXPORT_INTERVAL', 60_000, 100, MAX_MS, 'Milliseconds between pushes of metrics.'),
  sampler: choice(
    'OTEL_TRACES_SAMPLER',
    'parentbased_always_on',
    ['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'],
    'Which traces are recorded.',
  ),
  samplerArg: matching(
    'OTEL_TRACES_SAMPLER_ARG',
    '1',
    /^(0(\.\d+)?|1(\.0+)?|\.\d+)$/,
    'a number from 0 to 1',
    'Share of traces for the ratio samplers.',
  ),
  propagators: list('OTEL_PROPAGATORS', ['tracecontext', 'baggage'], 'Formats of trace context that are read and written.', {
    values: ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger', 'none'],
  }),
  bspQueue: integer(
    'OTEL_BSP_MAX_QUEUE_SIZE',
    2048,
    1,
    1_000_000,
    'Most spans that wait for export; more are dropped and counted.',
  ),
  bspBatch: integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, 1, 100_000, 'Most spans in one export request.'),
  bspDelay: integer('OTEL_BSP_SCHEDULE_DELAY', 1000, 1, MAX_MS, 'Milliseconds that a span waits for its batch to fill.'),
  blrpQueue: integer(
    'OTEL_BLRP_MAX_QUEUE_SIZE',
    2048,
    1,
    1_000_000,
    'Most log records that wait for export; more are dropped and counted.',
  ),
  blrpBatch: integer('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 512, 1, 100_000, 'Most log records in one export request.'),
  blrpDelay: integer('OTEL_BLRP_SCHEDULE_DELAY', 1000, 1, MAX_MS, 'Milliseconds that a log record waits for its batch to fill.'),
  attributeCountLimit: integer('OTEL_ATTRIBUTE_COUNT_LIMIT', 128, 1, 10_000, 'Most attributes of a span, event or link.'),
  attributeLengthLimit: integer('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 4096, 1, 1_000_000, 'Longest text of an attribute.'),
  spanAttributeCountLimit: optionalInteger(
    'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
    1,
    10_000,
    'Most attributes of a span.',
    'OTEL_ATTRIBUTE_COUNT_LIMIT',
  ),
  spanAttributeLengthLimit: optionalInteger(
    'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    1,
    1_000_000,
    'Longest text of a span attribute.',
    'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  ),
  spanEventLimit: integer('OTEL_SPAN_EVENT_COUNT_LIMIT', 128, 1, 10_000, 'Most events of a span.'),
  spanLinkLimit: integer('OTEL_SPAN_LINK_COUNT_LIMIT', 128, 1, 10_000, 'Most links of a span.'),
  logLevel: choice(
    'OTEL_LOG_LEVEL',
    'info',
    ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'],
    "Level of the kit's own messages on stderr.",
  ),
  enabledInstrumentations: list('OTEL_NODE_ENABLED_INSTRUMENTATIONS', [], 'Only these libraries are wired.', {
    fallbackText: 'all that the app loads',
  }),
  disabledInstrumentations: list('OTEL_NODE_DISABLED_INSTRUMENTATIONS', [], 'These libraries are left alone.'),
  adminHost: text('OTEL_EXPORTER_PROMETHEUS_HOST', '', 'Address of /metrics and /health.', {
    fallbackText: 'all interfaces in a container; on a host loopback, and docker0 if there is one',
  }),
  adminPort: optionalInteger(
    'OTEL_EXPORTER_PROMETHEUS_PORT',
    0,
    65_535,
    'Port of /metrics and /health. Set by hand, it is used as it is or not at all.',
    '9464, then the next free port',
  ),
  targetsDir: text(
    'O11Y_TARGETS_DIR',
    '',
    'Folder in which the process announces its scrape address (Prometheus file_sd), if it exists.',
    {
      fallbackText: 'the folder that `o11y-kit view` makes',
    },
  ),
  correlationHeader: matching(
    'O11Y_CORRELATION_HEADER',
    'x-correlation-id',
    /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/,
    'a header name',
    'Header of the correlation id; x-request-id is read too.',
  ),
  appLogLevel: choice('O11Y_LOG_LEVEL', 'info', LEVELS, "Level of the kit's logger and of access lines."),
  logFormat: choice(
    'O11Y_LOG_FORMAT',
    'auto',
    ['auto', 'json', 'pretty'],
    "Format of the kit's logger and captured console: pretty on a terminal, JSON otherwise.",
  ),
  captureConsole: choice(
    'O11Y_CAPTURE_CONSOLE',
    'auto',
    ['auto', 'off', 'ship', 'json'],
    'Whether console lines are shipped, and whether they become JSON on stdout.',
  ),
  accessLog: choice(
    'O11Y_ACCESS_LOG',
    'auto',
    ['auto', 'on', 'off'],
    'One line a request; auto leaves it to an app that logs its own.',
  ),
  propagationTargets: list(
    'O11Y_PROPAGATION_TARGETS',
    [],
    'Hosts that get baggage and the correlation header; `*.example.com` matches subdomains, `*` everything.',
    {
      fallbackText: 'private names and addresses',
    },
  ),
  trustInbound: choice(
    'O11Y_TRUST_INBOUND',
    'on',
    ['on', 'off'],
    'Whether trace context of callers is continued; off starts a new trace with a link.',
  ),
  quiet: flag('O11Y_QUIET', 'No start line.'),
  requiredEnv: list('O11Y_REQUIRED_ENV', [], 'Variables without which the process is not ready.'),
  redactKeys: list('O11Y_REDACT_KEYS', [], 'Further keys whose values are never recorded.'),
  slowQueryMs: integer(
    'O11Y_SLOW_QUERY_MS',
    500,
    0,
    MAX_MS,
    'Milliseconds from which a database call is logged as slow; 0 logs none.',
  ),
  shutdownDelayMs: integer(
    'O11Y_SHUTDOWN_DELAY_MS',
    0,
    0,
    600_000,
    'Milliseconds of not-ready before a signal takes effect, where the app has no handler.',
  ),
  shutdownTimeoutMs: integer(
    'O11Y_SHUTDOWN_TIMEOUT_MS',
    5000,
    0,
    600_000,
    'Most milliseconds that the kit adds to the end of the process.',
  ),
  aiPrices: prices(
    'O11Y_AI_PRICES',
    'Prices of models, in front of the built-in ones, for gen_ai_client_cost_usd_total.',
    'the built-in list prices',
  ),
  captureMessageContent: choice(
    'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT',
    'no_content',
    ['no_content', 'span_only', 'span_and_event', 'true', 'false'],
    'Whether texts of prompts and answers of models are put on spans; the kit makes no events of them.',
  ),
  maxSeries: integer('O11Y_MAX_SERIES', 2000, 1, 1_000_000, 'Most series of a metric; the rest share one `__overflow__` series.'),
} satisfies Record<string, Setting<any>>;

type Values = { readonly [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

/** Facts of the process that are no settings of ours but come from its environment. */
export interface Surroundings {
  /** `NODE_ENV`, or an empty text. */
  readonly nodeEnv: string;
  /** Where per-user state lives: `XDG_STATE_HOME`, or `~/.local/state`; empty if neither can be told. */
  readonly stateHome: string;
  /** `NODE_OPTIONS`, or an empty text. */
  readonly nodeOptions: string;
  /** Kubernetes or the runtime itself says that this is a container; where neither does, files tell. */
  readonly container: boolean;
  /** The app's entry file, as far as it can be told. */
  readonly entry: string | undefined;
  /** The variables named by `O11Y_REQUIRED_ENV` that are unset or empty. */
  readonly missingEnv: readonly string[];
}

export interface Config extends Values {
  readonly surroundings: Surroundings;
  /** Names of the variables that were set by hand, for the start line. */
  readonly given: readonly string[];
}

const PM2_ENTRY = /[\\/]pm2[\\/]lib[\\/]ProcessContainer(Fork)?\.js$/;

/**
 * pm2 starts a file of its own, which loads the app. In cluster mode it also gives the app its variables only then: before,
 * they stand in one.
 */
function underPm2(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> {
  try {
    return env.pm2_env ? { ...env, ...JSON.parse(env.pm2_env) } : env;
  } catch {
    return env;
  }
}

/** The only reader of the environment. Never throws: a bad value becomes a {@link Problem} and the default. */
export function loadConfig(given: Readonly<Record<string, string | undefined>> = process.env): {
  config: Config;
  problems: readonly Problem[];
} {
  const [, started] = process.argv;
  const managed = started !== undefined && PM2_ENTRY.test(started);
  const env = managed ? underPm2(given) : given;
  const problems: Problem[] = [];
  const values = Object.fromEntries(
    Object.entries(SETTINGS).map(([key, definition]) => [key, read(definition as Setting<unknown>, env, problems)]),
  ) as unknown as Values;
  const home = env.HOME ?? env.USERPROFILE;
  const config: Config = {
    ...values,
    given: Object.values(SETTINGS)
      .map((definition) => definition.env)
      .filter((name) => env[name]),
    surroundings: {
      nodeEnv: env.NODE_ENV ?? '',
      stateHome: env.XDG_STATE_HOME || (home ? `${home}/.local/state` : ''),
      nodeOptions: env.NODE_OPTIONS ?? '',
      container: Boolean(env.KUBERNETES_SERVICE_HOST || env.container),
      entry: (managed && env.pm_exec_path) || started,
      missingEnv: values.requiredEnv.filter((name) => !env[name]),
    },
  };
  return { config, problems };
}

export type Signal = 'traces' | 'logs' | 'metrics';

/** Everything that one signal's exporter needs, per-signal settings over general ones. Timeout in milliseconds. */
export interface OtlpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly compression: 'gzip' | 'none';
  readonly protocol: 'http/json' | 'http/protobuf';
}

/** The path is added to that of the address, whose query (a key, often) stays at the end. */
function below(address: string, path: string): string {
  const url = new URL(address);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  return url.href;
}

const THIS_MACHINE = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
export function otlpTarget(config: Config, signal: Signal): OtlpTarget {
  const url = config[`${signal}Endpoint`] || below(config.endpoint, `/v1/${signal}`);
  // To compress is a third of what the export of a span costs, and saves nothing on the way to a neighbour.
  const usual = THIS_MACHINE.test(new URL(url).hostname) ? 'none' : 'gzip';
  return {
    url,
    headers: { ...config.headers, ...config[`${signal}Headers`] },
    timeoutMs: config[`${signal}Timeout`] ?? config.timeout,
    compression: config[`${signal}Compression`] ?? config.compression ?? usual,
    protocol: config[`${signal}Protocol`] ?? config.protocol,
  };
}
