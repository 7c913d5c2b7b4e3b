import { attributes, type Decoded, type LogRecord, type Resource, type Scope } from '../model.ts';
import { mendIds } from './checks.ts';
import { anyValue, keyValue, request } from './proto-common.ts';
import { BYTES, FIXED32, FIXED64, field, Reader, VARINT } from './reader.ts';

const LOG = {
  time: field(1, FIXED64),
  severityNumber: field(2, VARINT),
  severityText: field(3, BYTES),
  body: field(5, BYTES),
  attribute: field(6, BYTES),
  dropped: field(7, VARINT),
  flags: field(8, FIXED32),
  traceId: field(9, BYTES),
  spanId: field(10, BYTES),
  observed: field(11, FIXED64),
  eventName: field(12, BYTES),
};

/** Decodes an `ExportLogsServiceRequest`. @throws {DecodeError} */
export function decodeLogs(body: Buffer): Decoded<LogRecord> {
  const out: Decoded<LogRecord> = { records: [], rejected: 0, reason: '' };
  request(new Reader(body), (r, resource, scope) => {
    const log = readLog(r, resource, scope);
    mendIds(log);
    out.records.push(log);
  });
  return out;
}

function readLog(r: Reader, resource: Resource, scope: Scope): LogRecord {
  const log: LogRecord = {
    timeNs: 0n,
    observedNs: 0n,
    severityNumber: 0,
    severityText: '',
    body: null,
    attributes: attributes(),
    traceId: '',
    spanId: '',
    flags: 0,
    eventName: '',
    service: resource.service,
    resource: resource.attributes,
    scope,
    dropped: 0,
  };
  const outer = r.enter();
  for (let tag = r.tag(); tag !== -1; tag = r.tag()) {
    switch (tag) {
      case LOG.time:
        log.timeNs = r.fixed64();
        break;
      case LOG.severityNumber:
        log.severityNumber = r.int32();
        break;
      case LOG.severityText:
        log.severityText = r.string();
        break;
      case LOG.body:
        log.body = anyValue(r);
        break;
      case LOG.attribute:
        keyValue(r, log.attributes);
        break;
      case LOG.dropped:
        log.dropped = r.uint32();
        break;
      case LOG.flags:
        log.flags = r.fixed32();
        break;
      case LOG.traceId:
        log.traceId = r.hex();
        break;
      case LOG.spanId:
        log.spanId = r.hex();
        break;
      case LOG.observed:
        log.observedNs = r.fixed64();
        break;
      case LOG.eventName:
        log.eventName = r.string();
        break;
      default:
        r.skip();
    }
  }
  r.leave(outer);
  if (log.timeNs === 0n) log.timeNs = log.observedNs;
  return log;
}
