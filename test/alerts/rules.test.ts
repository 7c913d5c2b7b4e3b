import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { isAlert } from '../../alerts/define.ts';
import { ALERTS, LOKI_RULES, RULES } from '../../alerts/index.ts';
import { STACK_JOBS } from '../../alerts/names.ts';
import { THRESHOLDS } from '../../alerts/thresholds.ts';
import { DASHBOARDS } from '../../dashboards/index.ts';
import { DURATION_BUCKETS } from '../../instrumentation/names.ts';
import { alertFiles } from '../../scripts/generate/alerts.ts';
import { COMPOSE, ROOT, readYaml } from '../support/compose.ts';
import { needs } from '../support/needs.ts';
import { promtool } from '../support/servers/prometheus.ts';

const groups = Object.values(RULES).flatMap((file) => file.groups);
const rules = groups.flatMap((group) => group.rules);

test('the files are what the code makes of them, and there is no other', () => {
  const made = alertFiles();
  for (const [path, text] of Object.entries(made)) assert.equal(readFileSync(join(ROOT, path), 'utf8'), text, path);
  const present = globSync('alerts/{rules,loki,runbook-dashboards}/*', { cwd: ROOT });
  assert.deepEqual(present.sort(), Object.keys(made).sort());
});

test('Prometheus reads all rules (promtool check rules)', { skip: needs('promtool') }, () => {
  assert.equal(
    promtool('check', 'rules', '--lint-fatal', ...globSync('alerts/rules/*.yml', { cwd: ROOT }).map((file) => join(ROOT, file))),
    '',
  );
});

test('nothing is used that Prometheus 2.42 or Prometheus 3 does not know or means otherwise', () => {
  for (const file of globSync('alerts/rules/*.yml', { cwd: ROOT })) {
    for (const group of parse(readFileSync(join(ROOT, file), 'utf8')).groups) {
      assert.deepEqual(
        Object.keys(group).filter((key) => !['name', 'interval', 'rules'].includes(key)),
        [],
        `${file} ${group.name}`,
      );
      for (const rule of group.rules) {
        // 2 writes le="1", 3 writes le="1.0".
        assert.doesNotMatch(String(rule.expr), /\ble="(?!\+Inf)/, rule.alert ?? rule.record);
      }
    }
  }
});

test('groups are small, and their names are unique', () => {
  const names = [...groups, ...Object.values(LOKI_RULES).flatMap((file) => file.groups)].map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
  for (const group of groups) assert.ok(group.rules.filter(isAlert).length <= 20, group.name);
});

suite('every alert', () => {
  const dashboards = new Map(DASHBOARDS.map(({ uid, templating }) => [uid, templating?.list?.map(({ name }) => name) ?? []]));

  for (const rule of ALERTS) {
    test(`${rule.alert} ${rule.severity} ${rule.labels?.window ?? ''}`, () => {
      assert.match(rule.alert, /^[A-Z][A-Za-z]{4,31}$/);
      assert.match(rule.summary, /^[A-Z][^{]*\.$/, 'a sentence in which nothing changes');
      assert.match(rule.description, /\.$/);
      if (rule.severity !== 'none') assert.match(rule.description, /\{\{ \$(labels|value)|\{\{ if \$labels/, 'what was seen');
      assert.match(rule.for ?? '1m', /^\d+[mh]$/);
      const variables = dashboards.get(rule.dashboard);
      assert.ok(variables, `${rule.dashboard} is a dashboard`);
      for (const each of rule.select ?? ['job'])
        assert.ok(variables.includes(each.split('=')[0]), `${rule.dashboard} has variable ${each}`);
    });
  }

  test('of one name has one sentence, and at most one rule for each severity and window', () => {
    for (const name of new Set(ALERTS.map(({ alert }) => alert))) {
      const same = ALERTS.filter(({ alert }) => alert === name);
      const kinds = same.map(({ severity, labels }) => `${severity} ${labels?.window}`);
      assert.deepEqual(kinds, [...new Set(kinds)], name);
    }
  });
});

suite('thresholds', () => {
  const used = new Set(rules.flatMap(({ expr }) => [...expr.matchAll(/o11y_?:?threshold:(\w+)/g)].map(([, name]) => name)));

  test('each is used by a rule beside the one that hands it on, and each that is used exists', () => {
    const byRule = rules.filter((rule) => isAlert(rule) || !rule.record.startsWith('job:o11y_threshold:'));
    for (const name of Object.keys(THRESHOLDS)) {
      assert.ok(
        byRule.some(({ expr }) => new RegExp(`threshold:${name}\\b`).test(expr)),
        name,
      );
    }
    assert.deepEqual(
      [...used].filter((name) => name !== '' && !(name in THRESHOLDS)),
      [],
    );
  });

  test('the latency objective is a bound of a bucket', () => {
    assert.ok((DURATION_BUCKETS as readonly number[]).includes(THRESHOLDS.slo_latency_seconds.value));
    const listed = THRESHOLDS.slo_latency_seconds.doc.match(/\d[\d.]*/g)!.map(Number);
    assert.deepEqual(listed, [...DURATION_BUCKETS]);
  });

  test('objectives leave a budget that the fastest burn rate can spend', () => {
    for (const name of ['slo_availability', 'slo_latency'] as const) assert.ok(14.4 * (1 - THRESHOLDS[name].value) < 1, name);
  });
});

test("the stack's own jobs are those that its Prometheus scrapes by fixed addresses", () => {
  const { scrape_configs } = readYaml(join(COMPOSE, 'prometheus/prometheus.yml'));
  const own = scrape_configs.filter((each: any) => each.static_configs).map((each: any) => each.job_name);
  assert.deepEqual(own.sort(), STACK_JOBS.split('|').sort());
});
