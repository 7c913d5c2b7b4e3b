export type Shipped = 'traces' | 'logs';

/** Why telemetry was given up; the `reason` label of `o11y_dropped_total`. */
export type DropReason = 'queue_full' | 'export_failed' | 'rejected' | 'shutdown' | 'worker_lost';

export interface SignalStats {
  /** Items handed over for export: always exported + dropped + waiting. */
  recorded: number;
  exported: number;
  readonly dropped: Record<DropReason, number>;
}

/** What happened to everything that was recorded. Read by the metrics page, never reset. */
export interface ExportStats {
  readonly traces: SignalStats;
  readonly logs: SignalStats;
  /** Called after each export request with its duration in seconds. */
  onExport: ((signal: Shipped, seconds: number) => void) | undefined;
  /** Whether the last export of any signal worked; undefined before the first. */
  healthy: boolean | undefined;
  /** The last failure, for the health check and doctor. */
  lastError: string | undefined;
}

export function createStats(): ExportStats {
  const signal = (): SignalStats => ({
    recorded: 0,
    exported: 0,
    dropped: { queue_full: 0, export_failed: 0, rejected: 0, shutdown: 0, worker_lost: 0 },
  });
  return { traces: signal(), logs: signal(), onExport: undefined, healthy: undefined, lastError: undefined };
}
