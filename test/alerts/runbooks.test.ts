import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { parser as logql } from '@grafana/lezer-logql';
import { parser as traceql } from '@grafana/lezer-traceql';
import type { LRParser } from '@lezer/lr';
import { stringify } from 'yaml';
import { ALERTS, RULES } from '../../alerts/index.ts';
import { runbookUid } from '../../alerts/runbook-dashboard.ts';
import { METRICS, type MetricDefinition } from '../../instrumentation/names.ts';
import { ROOT } from '../support/compose.ts';
import { needs } from '../support/needs.ts';
import { promtool } from '../support/servers/prometheus.ts';
import { selectorsOf } from './promql.ts';

const folder = join(ROOT, 'alerts/runbooks');
const pages = readdirSync(folder).map((file) => ({
  name: basename(file, '.md'),
  text: readFileSync(join(folder, file), 'utf8'),
}));
const alerts = [...new Set(ALERTS.map(({ alert }) => alert))];
/** Pages that explain how something is done; runbooks lead to them. */
const isHowTo = (name: string) => /^[a-z-]+$/.test(name);

function queries(language: string): { page: string; query: string }[] {
  return pages.flatMap(({ name, text }) =>
    [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
      .filter(([, found]) => found === language)
      .map(([, , query]) => ({ page: name, query: query.trim() })),
  );
}

test('every alert has a page, and every page an alert', () => {
  assert.deepEqual(
    pages
      .map(({ name }) => name)
      .filter((name) => !isHowTo(name))
      .sort(),
    [...alerts].sort(),
  );
});

suite('a page', () => {
  for (const { name, text } of pages) {
    test(name, () => {
      for (const [, target] of text.matchAll(/\]\(([\w-]+)\.md\)/g))
        assert.ok(
          pages.some((page) => page.name === target),
          `${target} exists`,
        );
      assert.ok(runbookUid(name).length <= 40, 'Grafana takes its uid');
      if (isHowTo(name)) return;
      assert.match(text, new RegExp(`^# ${name}\n`));
      assert.deepEqual(
        [...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title),
        ['Meaning', 'Impact', 'Diagnosis', 'Mitigation'],
      );
      assert.match(text, /^```(promql|logql|traceql|sh)$/m, 'something to copy');
      // The names of thresholds that it gives are those that the rule compares with.
      for (const { expr } of ALERTS.filter(({ alert }) => alert === name)) {
        const [main] = [...expr.matchAll(/threshold:(\w+)/g)].map(([, threshold]) => threshold);
        if (main && !main.startsWith('slo_')) assert.match(text, new RegExp(`\`${main}\``), `says that ${main} decides`);
      }
    });
  }
});

test('pages of how to do something are linked from a runbook', () => {
  for (const { name } of pages.filter((page) => isHowTo(page.name))) {
    assert.ok(
      pages.some((page) => page.name !== name && page.text.includes(`(${name}.md)`)),
      name,
    );
  }
});

test('every PromQL query is one (promtool)', { skip: needs('promtool') }, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'o11y-kit-runbooks-'));
  try {
    const file = join(scratch, 'queries.yml');
    const rules = queries('promql').map(({ page, query }, index) => ({ record: `${page}_${index}`, expr: query }));
    assert.ok(rules.length > 100);
    writeFileSync(file, stringify({ groups: [{ name: 'runbooks', rules }] }));
    assert.equal(promtool('check', 'rules', file), '');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});

test('every metric of the kit in a query exists', () => {
  const suffixes = { histogram: ['_count', '_sum', '_bucket'], counter: [''], gauge: [''] };
  const own = Object.values<MetricDefinition>(METRICS).flatMap(({ name, type }) => suffixes[type].map((suffix) => name + suffix));
  const recorded = Object.values(RULES).flatMap((file) =>
    file.groups.flatMap((group) => group.rules.flatMap((rule) => ('record' in rule ? [rule.record] : []))),
  );
  const known = new Set([...own, ...recorded]);
  const others =
    /^(up|ALERTS|target_info|process_\w+|nodejs_\w+|prometheus_\w+|alertmanager_\w+|loki_\w+|tempo_\w+|otelcol_\w+(\(.*)?)$/;
  for (const { page, query } of queries('promql')) {
    for (const { metric } of selectorsOf(query)) {
      if (others.test(metric) && !metric.startsWith('nodejs_eventloop_utilization')) continue;
      if (/^(spans|log_records|metric_points|o11y:threshold:\.\+)/.test(metric)) continue;
      assert.ok(known.has(metric), `${page}: ${metric}`);
    }
  }
});

function faults(parser: LRParser, text: string): string[] {
  const found: string[] = [];
  parser.parse(text).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) found.push(`${text.slice(0, from)}⟨here⟩${text.slice(from, to)}`);
    },
  });
  return found;
}

suite("LogQL and TraceQL by Grafana's grammars", () => {
  for (const [language, parser] of [
    ['logql', logql],
    ['traceql', traceql],
  ] as const) {
    for (const { page, query } of queries(language)) {
      test(`${page}: ${query.slice(0, 60)}`, () => assert.deepEqual(faults(parser, query), []));
    }
  }
  for (const { alert, expr } of ALERTS.filter(({ alert }) => alert.startsWith('Log'))) {
    test(`${alert}: its rule`, () => assert.deepEqual(faults(logql, expr), []));
  }
});
