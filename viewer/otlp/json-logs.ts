import type { Decoded, LogRecord, Resource, Scope } from '../model.ts';
import { mendIds } from './checks.ts';
import { anyValue, hex, integer, type Json, keyValues, nanos, parse, request, text } from './json-common.ts';

const NAMES = { resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' };

/** Decodes an `ExportLogsServiceRequest` in OTLP/JSON. @throws {DecodeError} */
export function decodeLogsJson(body: Buffer): Decoded<LogRecord> {
  const out: Decoded<LogRecord> = { records: [], rejected: 0, reason: '' };
  request(parse(body), NAMES, (json, resource, scope) => {
    const log = readLog(json, resource, scope);
    mendIds(log);
    out.records.push(log);
  });
  return out;
}

function readLog(json: Json, resource: Resource, scope: Scope): LogRecord {
  const timeNs = nanos(json, 'timeUnixNano');
  const observedNs = nanos(json, 'observedTimeUnixNano');
  return {
    timeNs: timeNs === 0n ? observedNs : timeNs,
    observedNs,
    severityNumber: integer(json, 'severityNumber'),
    severityText: text(json, 'severityText'),
    body: anyValue(json.body),
    attributes: keyValues(json, 'attributes'),
    traceId: hex(json, 'traceId'),
    spanId: hex(json, 'spanId'),
    flags: integer(json, 'flags'),
    eventName: text(json, 'eventName'),
    service: resource.service,
    resource: resource.attributes,
    scope,
    dropped: integer(json, 'droppedAttributesCount'),
  };
}
