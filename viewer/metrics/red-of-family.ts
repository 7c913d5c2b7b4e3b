import { METRICS } from '../../instrumentation/names.ts';
import type { Labels } from './family.ts';
import type { Call, Route } from './red-book.ts';

/** The route or call that a histogram's series counts; undefined for every other metric. */
export function redOfSeries(name: string, labels: Labels): Route | Call | undefined {
  switch (name) {
    case METRICS.httpServerDuration.name:
      return { method: labels.http_request_method ?? '', route: labels.http_route ?? '' };
    case METRICS.messagingProcess.name:
      return { method: '', route: labels.messaging_destination_name ?? '' };
    case METRICS.httpClientDuration.name:
      return { kind: 'http', name: `${labels.http_request_method ?? ''} ${peer(labels)}`.trim() };
    case METRICS.dbDuration.name:
      return {
        kind: 'db',
        name: words(labels.db_system_name, labels.db_operation_name, labels.db_collection_name),
      };
    case METRICS.aiDuration.name:
      return { kind: 'other', name: words(labels.gen_ai_provider_name, labels.gen_ai_request_model) };
    default:
      return undefined;
  }
}

/** Whether a series counts requests that failed: a status of 500 and above, or an error without a status. */
export function seriesFailed(labels: Labels): boolean {
  const status = Number(labels.http_response_status_code ?? 0);
  if (status > 0) return status >= 500;
  return (labels.error_type ?? '') !== '';
}

function peer({ server_address: host = '', server_port: port = '' }: Labels): string {
  return port === '' ? host : `${host}:${port}`;
}

function words(...all: (string | undefined)[]): string {
  return all.filter((word) => word).join(' ');
}
