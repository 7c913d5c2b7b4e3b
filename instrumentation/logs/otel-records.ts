import type { Context } from '@opentelemetry/api';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { active, logFields } from '../context.ts';
import type { Shipping } from './shipping.ts';

/** OpenTelemetry has four severities for each of pino's six levels; without one, a record is taken for info. */
const INFO = 9;

/**
 * Ships what an app or a library writes through OpenTelemetry's Logs API, on the same way as every other line. A record that
 * cannot be written as JSON is left out: it must not fail the app.
 *
 * @see https://opentelemetry.io/docs/specs/otel/logs/api/
 */
export function createRecordProcessor(shipping: Shipping): LogRecordProcessor {
  return {
    onEmit({ body, attributes, severityNumber = INFO, hrTime, instrumentationScope, eventName }, context: Context = active()) {
      try {
        const { msg, ...others } = attributes as Record<string, unknown>;
        const fields = {
          ...others,
          ...(msg !== undefined && { 'field.msg': msg }),
          event: eventName,
          logger: instrumentationScope.name,
        };
        const json = JSON.stringify({ msg: body ?? '', ...fields });
        const level = Math.max(10, Math.min(60, (Math.floor((severityNumber - 1) / 4) + 1) * 10));
        shipping.ship(`${json.slice(0, -1)}${logFields(context)}}`, level, hrTime[0] * 1000 + hrTime[1] / 1e6, 'msg');
      } catch {
        // A cycle or a getter that throws.
      }
    },
    forceFlush: async () => {},
    shutdown: async () => {},
  };
}
