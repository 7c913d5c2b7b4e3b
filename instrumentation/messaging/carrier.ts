import { type Context, type Span, trace } from '@opentelemetry/api';
import { correlationIdOf, KitContext, ROOT } from '../context.ts';
import { isCorrelationId } from '../correlation.ts';
import type { Kit } from '../kit.ts';

/** What travels with a message: the names are those of HTTP headers (`traceparent`, `baggage`). */
export type Fields = Readonly<Record<string, string>>;

/** Puts trace context and correlation id into messages and reads them back. */
export interface Carrier {
  /** The fields that make `span` the parent of what is done with the message. */
  write(parent: Context, span: Span | undefined, correlationId: string | undefined): Record<string, string>;
  /** The context that came with a message; an empty one if nothing did. */
  read(fields: Fields): KitContext;
  /** Names, in lower case, that {@link write} may use. */
  readonly names: ReadonlySet<string>;
}

const getter = {
  get: (carrier: Fields, key: string) => {
    const value: unknown = carrier[key];
    return typeof value === 'string' ? value : undefined;
  },
  keys: (carrier: Fields) => Object.keys(carrier),
};

/**
 * The correlation id travels as W3C baggage, where other OpenTelemetry SDKs see it too; with `baggage` taken off
 * `OTEL_PROPAGATORS` it travels under the name of the correlation header.
 */
export function createCarrier({ config, tracing: { propagation } }: Kit): Carrier {
  const header = config.correlationHeader.toLowerCase();

  return {
    names: new Set([...propagation.all.fields().map((name) => name.toLowerCase()), header]),
    write(parent, span, correlationId) {
      const fields: Record<string, string> = {};
      const sender = span ?? trace.getSpan(parent);
      if (sender !== undefined) propagation.injectTrace(parent, sender, fields);
      propagation.injectBaggage(parent, correlationId, fields);
      if (!propagation.hasBaggage && correlationId !== undefined) fields[header] = correlationId;
      return fields;
    },
    read(fields) {
      const extracted = propagation.all.extract(ROOT, fields, getter);
      const context = extracted instanceof KitContext ? extracted : ROOT;
      const own = fields[header];
      const id = isCorrelationId(own) ? own : correlationIdOf(context);
      return id === undefined ? context : context.withCorrelationId(id);
    },
  };
}
