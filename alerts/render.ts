/** Rules as the YAML that Prometheus, Mimir, Thanos and Loki's ruler read. */
import { Document, isScalar, visit, type YAMLMap } from 'yaml';
import { type Group, isAlert, type Rule, type RuleFile } from './define.ts';
import { linksOf } from './links.ts';

/** @param source for the first line: where the rules are written */
export function render({ about, groups }: RuleFile, ruler: 'prometheus' | 'loki', source: string): string {
  const document = new Document({ groups: groups.map((group) => plainGroup(group, ruler)) });
  document.commentBefore = [`Generated from ${source} by \`npm run generate\`.`, ...about.split('\n')]
    .map((line) => ` ${line}`)
    .join('\n');
  visit(document, {
    Scalar(_key, node) {
      if (isScalar(node) && typeof node.value === 'string' && node.value.includes('\n')) node.type = 'BLOCK_LITERAL';
    },
  });
  const comments = groups.map(({ rules }) => rules.map((rule) => (isAlert(rule) ? undefined : rule.comment)));
  groups.forEach(({ rules }, index) => {
    rules.forEach((_rule, at) => {
      const node = document.getIn(['groups', index, 'rules', at]) as YAMLMap;
      const comment = comments[index][at];
      if (comment) node.commentBefore = ` ${comment}`;
      if (at > 0 && (comment || isAlert(rules[at]))) node.spaceBefore = true;
    });
    if (index > 0) (document.getIn(['groups', index]) as YAMLMap).spaceBefore = true;
  });
  return document.toString({ lineWidth: 0 });
}

function plainGroup({ name, interval, rules }: Group, ruler: 'prometheus' | 'loki'): object {
  return { name, ...(interval && { interval }), rules: rules.map((rule) => plainRule(rule, ruler)) };
}

function plainRule(rule: Rule, ruler: 'prometheus' | 'loki'): object {
  if (!isAlert(rule)) return { record: rule.record, ...(rule.labels && { labels: { ...rule.labels } }), expr: value(rule.expr) };
  const { alert, expr, severity, labels, summary, description } = rule;
  return {
    alert,
    expr,
    ...(rule.for && { for: rule.for }),
    labels: { severity, ...labels },
    annotations: { summary, description, ...linksOf(rule, ruler) },
  };
}

/** A bare number reads better without quotes. */
function value(expr: string): string | number {
  return /^[\d.]+$/.test(expr) ? Number(expr) : expr;
}
