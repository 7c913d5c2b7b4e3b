/**
 * Where notifications lead. The addresses are labels of one recorded series (rules/thresholds.yml), which annotations look up: who has
 * Grafana or the runbooks elsewhere changes that one rule.
 */
import type { Alert } from './define.ts';

export const LINKS = {
  /** Address of Grafana. */
  grafana: 'http://localhost:3000',
  /** What stands before and after an alert's name in the address of its runbook. By default the runbooks are read in Grafana. */
  runbook_prefix: 'http://localhost:3000/d/runbook-',
  runbook_suffix: '',
} as const;

/** The addresses of an alert's runbook and dashboard, as templates of annotations. Loki's ruler has no series to look up. */
export function linksOf({ alert, dashboard, select = ['job'] }: Alert, ruler: 'prometheus' | 'loki'): Record<string, string> {
  const variables = select
    .map((each) => each.split('='))
    .map(([variable, label = variable]) => `var-${variable}={{ $labels.${label} | urlquery }}`)
    .join('&');
  const path = `/d/${dashboard}${variables ? `?${variables}` : ''}`;
  if (ruler === 'loki') {
    return {
      runbook_url: `${LINKS.runbook_prefix}${alert}${LINKS.runbook_suffix}`,
      dashboard_url: `${LINKS.grafana}${path}`,
    };
  }
  const linked = (text: string) => `{{ with query "o11y:links" }}{{ with first . }}${text}{{ end }}{{ end }}`;
  return {
    runbook_url: linked(`{{ .Labels.runbook_prefix }}${alert}{{ .Labels.runbook_suffix }}`),
    dashboard_url: `${linked('{{ .Labels.grafana }}')}${path}`,
  };
}
