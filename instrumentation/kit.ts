import type { Config } from './config.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ExportStats } from './export/stats.ts';
import type { Health } from './health/health.ts';
import type { Logs } from './logs/logs.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Redactor } from './redaction.ts';
import type { Resource } from './resource.ts';
import type { Tracing } from './traces/tracing.ts';

/** Everything that the request path, the libraries and the admin server share; made once, in start.ts. */
export interface Kit {
  readonly version: string;
  readonly config: Config;
  readonly diagnostics: Diagnostics;
  readonly resource: Resource;
  readonly stats: ExportStats;
  readonly tracing: Tracing;
  readonly metrics: Metrics;
  readonly logs: Logs;
  readonly health: Health;
  readonly redactor: Redactor;
  /** Counts an error that a request or a library ended with (`o11y_errors_total`). Never throws. */
  onError(error: unknown): void;
}
