import './pino-thread.ts';

import type { Duplex } from 'node:stream';
import type { ExportResult } from '@opentelemetry/core';
import transport, { type Options } from 'pino-opentelemetry-transport';
// @ts-expect-error: the transport ships no types for this file, the one that makes its exporters.
import * as shim from 'pino-opentelemetry-transport/lib/otlp-logger-shim.js';
import { pinoPort, restore } from './pino-thread.ts';

restore();

/** A log exporter as pino-opentelemetry-transport uses it. */
export interface LogExporter {
  export(records: readonly unknown[], done: (result: ExportResult) => void): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** The transport's own OTLP/HTTP exporter. @param options of OpenTelemetry's OTLP exporters. */
export function createLogExporter(protocol: 'http/json' | 'http/protobuf', options: object): LogExporter {
  return protocol === 'http/protobuf'
    ? shim.createExporter({ protocol, protobufExporterOptions: options })
    : shim.createExporter({ protocol: 'http', httpExporterOptions: options });
}

/** What pino would tell its worker: level names by number, and the member that holds the message. */
export interface PinoConfig {
  readonly levels: { readonly labels: Readonly<Record<number, string>> };
  readonly messageKey: string;
}

/** The transport's stream. Its readable side takes parsed lines, so nothing need be written as text and parsed again. */
export async function openTransport(options: Options, config: PinoConfig): Promise<Duplex> {
  const opening = transport(options);
  pinoPort.emit('message', { code: 'PINO_CONFIG', config });
  return (await opening) as unknown as Duplex;
}
