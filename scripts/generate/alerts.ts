import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlert } from '../../alerts/define.ts';
import { ALERTS, LOKI_RULES, RULES } from '../../alerts/index.ts';
import { render } from '../../alerts/render.ts';
import { runbookDashboard } from '../../alerts/runbook-dashboard.ts';
import { THRESHOLDS } from '../../alerts/thresholds.ts';
import { root } from '../tools.ts';
import { code, page, table } from './markdown.ts';

/** Files below alerts/ that `npm run generate` writes: path from the root to their text. */
export function alertFiles(): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(RULES).map(([name, file]) => [`alerts/rules/${name}.yml`, render(file, 'prometheus', 'alerts/')]),
    ...Object.entries(LOKI_RULES).map(([name, file]) => [`alerts/loki/${name}.yml`, render(file, 'loki', 'alerts/')]),
    ...runbooks().map((name) => [
      `alerts/runbook-dashboards/${name}.json`,
      `${JSON.stringify(runbookDashboard(name, readFileSync(join(root, 'alerts/runbooks', `${name}.md`), 'utf8')), null, 2)}\n`,
    ]),
  ]);
}

function runbooks(): string[] {
  return readdirSync(join(root, 'alerts/runbooks'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => file.slice(0, -3))
    .sort();
}

/** `docs/alerts.md`, from the array of alerts and the table of thresholds. */
export function alerts(): string {
  const names = new Set(ALERTS.map(({ alert }) => alert));
  return page(
    'alerts/index.ts',
    '# Alerts',
    [
      `${names.size} alerts for Node.js services and for the stack itself. Each leads to a dashboard and to a runbook, has a test that fires it and`,
      'one that keeps it silent, and compares with numbers that can be changed in one file.',
    ].join('\n'),
    '## Into a Prometheus that you have',
    [
      'Copy the rules, name them, reload:',
      '',
      '```sh',
      'cp -r alerts/rules /etc/prometheus/o11y-kit',
      `# prometheus.yml: rule_files: ['o11y-kit/*.yml']`,
      'promtool check config /etc/prometheus/prometheus.yml && curl -X POST http://localhost:9090/-/reload',
      '```',
      '',
      '(`/-/reload` needs `--web.enable-lifecycle`; `kill -HUP` of the process does the same.) The rules want `job` to be the name of the',
      'service, and run on Prometheus 2.42 and later, Mimir and Thanos. `alerts/loki/` is for the ruler of Loki: copy it to',
      '`<rules directory>/fake/` where Loki has no tenants.',
    ].join('\n'),
    '## Thresholds and addresses',
    [
      'All numbers stand in `alerts/rules/thresholds.yml` as recording rules: edit that file, reload Prometheus. It is yours; the other',
      'files can be replaced by those of a newer version. (Who works on the kit itself edits `alerts/thresholds.ts` and runs',
      '`npm run generate`.) A number for one service stands beside the one for all:',
      '',
      '```yaml',
      '      - record: o11y:threshold:http_latency_p95_seconds',
      '        expr: 1',
      '      - record: o11y:threshold:http_latency_p95_seconds',
      '        labels: { job: reports }',
      '        expr: 5',
      '```',
      '',
      'So does the objective of a service (`slo_availability`, `slo_latency`, `slo_latency_seconds`). An alert whose threshold is missing never',
      'fires; `AlertThresholdIneffective` says so. The first rule of the file, `o11y:links`, holds the addresses in notifications: Grafana',
      '(`http://localhost:3000`), and what stands before and after the name of an alert in the address of its runbook. The links of',
      'Loki\'s rules are written out: `sed -i "s|http://localhost:3000|https://grafana.example.com|" alerts/loki/*.yml`.',
    ].join('\n'),
    table(
      ['threshold', 'default', 'meaning'],
      Object.entries(THRESHOLDS).map(([name, { value, doc }]) => [code(name), String(value), `${doc}.`]),
    ),
    '## Severity, routes, silences',
    [
      '`critical` means that users are hurt or soon will be: it should wake somebody. `warning` is for working hours. `Watchdog` has `none`: it',
      'always fires, so that a service outside can notice when alerting itself is dead. A critical alert mutes the warnings of the same',
      'name and service (see `inhibit_rules` in `compose/alertmanager/alertmanager.yml`). To send the alerts of one service to its team, add a',
      'route; to be left alone during maintenance, a silence:',
      '',
      '```yaml',
      'route:',
      '  routes:',
      '    - matchers: [job="checkout", severity="critical"]',
      '      receiver: checkout-on-call',
      '```',
      '',
      '```sh',
      'amtool silence add --alertmanager.url=http://localhost:9093 --duration=2h --comment="migration" job=checkout',
      '```',
      '',
      'An alert for good: delete its rule, or give its threshold a value that is never reached.',
    ].join('\n'),
    ...Object.entries(RULES)
      .concat(Object.entries(LOKI_RULES))
      .flatMap(([name, { about, groups }]) => {
        const rows = groups.flatMap(({ rules }) => rules.filter(isAlert));
        if (rows.length === 0) return [];
        const file = name in RULES ? `rules/${name}.yml` : `loki/${name}.yml`;
        return [
          `## ${name in RULES ? name[0].toUpperCase() + name.slice(1) : "Logs, for Loki's ruler"}`,
          `${about} [alerts/${file}](../alerts/${file})`,
          table(
            ['alert', 'what', 'severity', 'for', 'thresholds', 'dashboard'],
            rows.map((rule) => [
              `[${rule.alert}](../alerts/runbooks/${rule.alert}.md)${rule.labels?.window ? ` ${rule.labels.window}` : ''}`,
              rule.summary,
              rule.severity,
              rule.for ?? 'at once',
              thresholdsOf(rule.expr).map(code).join(', '),
              code(rule.dashboard),
            ]),
          ),
        ];
      }),
  );
}

function thresholdsOf(expr: string): string[] {
  return [...new Set([...expr.matchAll(/o11y_?:?threshold:(\w+)/g)].map(([, name]) => name))];
}
