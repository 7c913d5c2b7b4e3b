/**
 * What an alert and a recording rule are made of. Files of groups/ hold arrays of them; render.ts writes them as Prometheus and Loki
 * read them.
 */

/**
 * `critical` wakes somebody: users are hurt now, or will be within the hour. `warning` is for working hours. `none` never reaches
 * anybody: it is there to be missed.
 */
export type Severity = 'critical' | 'warning' | 'none';

/** The `uid`s of the dashboards that alerts lead to. */
export type Dashboard =
  | 'o11y-service'
  | 'o11y-runtime'
  | 'o11y-http-clients'
  | 'o11y-slo'
  | 'o11y-logs'
  | 'o11y-kit'
  | 'o11y-dependencies'
  | 'o11y-queues'
  | 'o11y-resilience'
  | 'o11y-ai'
  | 'o11y-streams';

export interface Alert {
  /** CamelCase, at most 32 characters: the name of its page in runbooks/, and of the dashboard that shows this page. */
  readonly alert: string;
  readonly expr: string;
  /** How long it has to be true, as Prometheus writes it (`5m`). At once if absent. */
  readonly for?: string;
  readonly severity: Severity;
  /** One sentence without anything that changes: it is the subject of a notification, and groups by it. */
  readonly summary: string;
  /** What was seen and what it means, with `$labels` and `$value`. */
  readonly description: string;
  readonly dashboard: Dashboard;
  /** Variables of the dashboard that are set from labels of the same name, or `variable=label`. `job` if absent. */
  readonly select?: readonly string[];
  /** Further labels. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Recording {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Stands above the rule as a comment. */
  readonly comment?: string;
}

export type Rule = Alert | Recording;

export interface Group {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** How often it is looked at; as the server's configuration says if absent. */
  readonly interval?: string;
}

/** A file of alerts/rules/ or alerts/loki/. */
export interface RuleFile {
  /** Stands at the top, as comment lines. */
  readonly about: string;
  readonly groups: readonly Group[];
}

export function isAlert(rule: Rule): rule is Alert {
  return 'alert' in rule;
}
