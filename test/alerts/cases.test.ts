/** alerts/tests: each alert is fired and kept silent, and what it says is held to the letter. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { isAlert } from '../../alerts/define.ts';
import { RULES } from '../../alerts/index.ts';
import { ROOT } from '../support/compose.ts';
import { needs } from '../support/needs.ts';
import { promtool } from '../support/servers/prometheus.ts';

interface Case {
  readonly alertname: string;
  readonly exp_alerts: readonly {
    readonly exp_labels: Record<string, string>;
    readonly exp_annotations: Record<string, string>;
  }[];
}

const files = globSync('alerts/tests/*.test.yml', { cwd: ROOT }).map((file) => join(ROOT, file));
const cases: Case[] = files.flatMap((file) =>
  parse(readFileSync(file, 'utf8')).tests.flatMap((each: { alert_rule_test: Case[] }) => each.alert_rule_test),
);
const alerts = Object.values(RULES)
  .flatMap((file) => file.groups)
  .flatMap((group) => group.rules)
  .filter(isAlert);

suite('promtool test rules', { skip: needs('promtool'), concurrency: 1 }, () => {
  for (const file of files) test(basename(file), () => assert.equal(promtool('test', 'rules', file), ''));
});

// promtool is content with a misspelt name of which nothing is expected.
test('no case is of an alert that does not exist', () => {
  const names = new Set(alerts.map(({ alert }) => alert));
  assert.deepEqual(
    cases.filter(({ alertname }) => !names.has(alertname)),
    [],
  );
});

suite('there is a case in which fires', () => {
  for (const { alert, severity, labels } of alerts) {
    test(`${alert} ${severity} ${labels?.window ?? ''}`, () => {
      const expected = { severity, ...labels };
      const fired = cases
        .filter(({ alertname }) => alertname === alert)
        .flatMap(({ exp_alerts }) => exp_alerts)
        .filter(({ exp_labels }) => Object.entries(expected).every(([name, value]) => exp_labels[name] === value));
      assert.ok(fired.length > 0);
      for (const { exp_labels, exp_annotations } of fired) {
        // Notifications are grouped, muted and routed by it; these two are of the whole.
        if (!['Watchdog', 'AlertThresholdIneffective'].includes(alert)) assert.ok(exp_labels.job);
        assert.deepEqual(Object.keys(exp_annotations).sort(), ['dashboard_url', 'description', 'runbook_url', 'summary']);
        for (const text of Object.values(exp_annotations)) assert.doesNotMatch(text, /no value|\{\{|NaN|\(\)|""/);
      }
    });
  }
});

suite('there is a case in which keeps silent', () => {
  for (const alert of new Set(alerts.map((each) => each.alert))) {
    // It always fires.
    if (alert === 'Watchdog') continue;
    test(alert, () => assert.ok(cases.some(({ alertname, exp_alerts }) => alertname === alert && exp_alerts.length === 0)));
  }
});
