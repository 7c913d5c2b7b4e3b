import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { Config } from '../config.ts';
import type { Diagnostics } from '../diagnostics.ts';
import type { LogItem } from '../export/sink.ts';
import { createRedactor, type Redactor } from '../redaction.ts';
import { type AccessLine, createAccessLog } from './access.ts';
import { captureConsole } from './console.ts';
import type { Level } from './levels.ts';
import { createLogger, type Fields, type Logger } from './logger.ts';
import { createRecordProcessor } from './otel-records.ts';
import { createOutput } from './output.ts';
import { PinoWiring } from './pino.ts';
import { printRecord } from './print-record.ts';
import { createShipping } from './shipping.ts';
import { WinstonWiring } from './winston.ts';

export type { AccessLine } from './access.ts';
export type { Level } from './levels.ts';
export type { Fields, Logger, LogMethod } from './logger.ts';

export interface Logs {
  /** The kit's own logger. */
  readonly logger: Logger;
  /** Wires a copy of pino. @param pinoExports what requiring it returned. Once a copy; never throws. */
  adoptPino(pinoExports: unknown): void;
  /** Wires a copy of winston 3. Once a copy; never throws. */
  adoptWinston(winstonExports: unknown): void;
  /**
   * Captures the global console as `O11Y_CAPTURE_CONSOLE` says.
   *
   * @param isServer whether the process listens on a port by now; asked for each line.
   * @returns what gives the console back.
   */
  captureConsole(isServer: () => boolean): () => void;
  /** Writes the access line of a finished request, if `O11Y_ACCESS_LOG` and the app's own logging leave it to the kit. */
  access(line: AccessLine): void;
  /** Takes the records of OpenTelemetry's Logs API. */
  readonly records: LogRecordProcessor;
  /** A line of the kit about the process: start, stop, crash. Written synchronously. */
  lifecycle(level: Level, message: string, fields?: Fields): void;
  /** Gives pino, winston and the module loader back. */
  stop(): void;
}

export interface LogsDependencies {
  readonly config: Pick<
    Config,
    'appLogLevel' | 'logFormat' | 'captureConsole' | 'accessLog' | 'logsExporter' | 'redactKeys' | 'endpoint'
  >;
  readonly diagnostics: Diagnostics;
  readonly resource: { readonly serviceName: string };
  /** The log queue of the shipper. */
  readonly outlet: { push(item: LogItem): void };
  /** Called with the level (`trace` to `fatal`) of each line, whichever logger made it. */
  readonly onLine: (level: string) => void;
  readonly redactor?: Redactor;
  /** The category of an error that is logged: retriable, transient, fatal, invalid_input. */
  readonly categorize?: (error: unknown) => string;
}

export function createLogs(dependencies: LogsDependencies): Logs {
  const { config, diagnostics, resource, outlet, onLine, categorize } = dependencies;
  const redactor = dependencies.redactor ?? createRedactor(config.redactKeys);
  const output = createOutput(config.logFormat, diagnostics, viewerLink(config.endpoint));
  const shipping = createShipping({
    exporter: config.logsExporter,
    outlet,
    onLine,
    print: (item) => output.print(printRecord(item, redactor)),
  });

  const logger = createLogger({
    level: config.appLogLevel,
    service: resource.serviceName,
    redactor,
    categorize,
    emit(line, level, time) {
      output.write(line);
      shipping.ship(line, level, time, 'msg');
    },
  });
  // Known once the console is captured; a script's stdout is its result, so there these lines are only shipped.
  let ownsStdout = () => false;
  const lifecycle = createLogger({
    level: config.appLogLevel,
    service: resource.serviceName,
    redactor,
    categorize,
    emit(line, level, time) {
      if (!ownsStdout()) output.write(line);
      shipping.ship(line, level, time, 'msg');
    },
  }).child({ component: 'lifecycle' });
  const access = createAccessLog({
    mode: config.accessLog,
    level: config.appLogLevel,
    service: resource.serviceName,
    redactor,
    emit(line, level, time) {
      output.batch(line);
      shipping.ship(line, level, time, 'msg');
    },
  });
  const pino = new PinoWiring(shipping, diagnostics);
  const winston = new WinstonWiring(shipping, diagnostics);

  return {
    logger,
    access(line) {
      try {
        access(line);
      } catch {
        // A request must not fail by its log line.
      }
    },
    lifecycle: (level, message, fields = {}) => lifecycle[level](fields, message),
    records: createRecordProcessor(shipping),
    adoptPino: (exported) => pino.adopt(exported),
    adoptWinston: (exported) => winston.adopt(exported),
    captureConsole: (isServer) => {
      ownsStdout = () => !isServer();
      return captureConsole({
        mode: config.captureConsole,
        format: config.logFormat,
        service: resource.serviceName,
        redactor,
        shipping,
        categorize,
        isServer,
        isShipped: (text) => winston.wrote(text),
      });
    },
    stop() {
      pino.stop();
      winston.stop();
      output.stop();
    },
  };
}

const LOCAL = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** The viewer answers where telemetry is sent to, if that is on this machine; any other backend has addresses of its own. */
function viewerLink(endpoint: string): ((traceId: string) => string) | undefined {
  return LOCAL.test(endpoint) ? (traceId) => `${endpoint}/t/${traceId}` : undefined;
}
