import { DiagLogLevel, diag } from '@opentelemetry/api';

/** What a backend said about a request that it accepted in part. @see https://opentelemetry.io/docs/specs/otlp/#partial-success-1 */
export interface PartialSuccess {
  readonly rejectedSpans?: number | string;
  readonly rejectedLogRecords?: number | string;
  readonly errorMessage?: string;
}

const listeners = new Set<(answer: PartialSuccess) => void>();
let installed = false;

/**
 * Hears of partial successes. OpenTelemetry's exporters take them for plain ones and mention them only in their own
 * diagnostics, right before they report the export as done.
 *
 * @returns what ends it.
 */
export function onPartialSuccess(listener: (answer: PartialSuccess) => void): () => void {
  if (!installed) {
    installed = true;
    const ignore = () => {};
    const warn = (message: string, ...rest: unknown[]) => {
      if (message.startsWith('Received Partial Success')) tell(rest[0]);
    };
    diag.setLogger(
      { error: ignore, warn, info: ignore, debug: ignore, verbose: ignore },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
  }
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(json: unknown): void {
  try {
    const answer: unknown = JSON.parse(String(json));
    if (answer !== null && typeof answer === 'object') for (const listener of listeners) listener(answer);
  } catch {
    // Not what we know: the export counts as it was reported.
  }
}
