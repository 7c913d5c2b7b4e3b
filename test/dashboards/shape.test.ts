import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { DASHBOARDS, files } from '../../dashboards/index.ts';
import { panelsOf } from '../../dashboards/parts/describe.ts';
import { variablesIn } from './fill.ts';
import { urlsOf } from './links.ts';

const folder = join(import.meta.dirname, '../../dashboards/json');
/** Given by Grafana itself, wherever the query or the link stands. */
const BUILT_IN = /^(__interval|__rate_interval|__range|__auto|__from|__to|__org|__url_time_range|__field|__data)$/;
const UNITS = new Set<unknown>(Object.values(units));
const byUid = new Map(DASHBOARDS.map((each) => [each.uid, each]));

test('the committed files are what `npm run generate` writes, and there is no other', () => {
  const written = files();
  const committed = globSync('o11y-*.json', { cwd: folder });
  assert.deepEqual(committed.map((file) => basename(file)).sort(), [...written.keys()].sort());
  for (const [name, text] of written)
    assert.equal(readFileSync(join(folder, name), 'utf8'), text, `${name}: run npm run generate`);
});

test('uids and titles are there once', () => {
  for (const key of ['uid', 'title'] as const)
    assert.equal(new Set(DASHBOARDS.map((each) => each[key])).size, DASHBOARDS.length, key);
});

for (const dashboard of DASHBOARDS) {
  const { uid = '' } = dashboard;
  const variables = dashboard.templating.list ?? [];
  const declared = new Set(variables.map(({ name }) => name));
  const panels = panelsOf(dashboard);

  suite(uid, () => {
    test('can be imported by hand and provisioned: stable uid, no id, no input to be asked for', () => {
      assert.match(uid, /^o11y-[a-z-]{2,34}$/);
      const text = JSON.stringify(dashboard);
      assert.equal(dashboard.id, undefined);
      assert.doesNotMatch(text, /__inputs|__requires|libraryPanel|inControlsMenu/);
      assert.ok(dashboard.tags?.includes('o11y-kit'));
      assert.equal(dashboard.timezone, 'browser');
      assert.equal(dashboard.graphTooltip, 1, 'shared crosshair');
      assert.match(dashboard.refresh ?? '', /^(30s|[1-9]\d*m)$/);
      assert.ok((dashboard.description ?? '').length > 40);
    });

    test('panels have ids of their own from 1 on, and places that do not overlap', () => {
      const visible = dashboard.panels ?? [];
      const ids = [...visible, ...panels].map(({ id }) => id ?? 0);
      assert.ok(ids.every((id) => id >= 1));
      assert.equal(new Set(ids).size, new Set([...visible, ...panels]).size);
      const taken = new Map<string, string>();
      for (const { title = '', gridPos } of visible) {
        const { x, y, w, h } = gridPos!;
        assert.ok(x >= 0 && y >= 0 && w >= 1 && h >= 1 && x + w <= 24, title);
        for (let cx = x; cx < x + w; cx += 1) {
          for (let cy = y; cy < y + h; cy += 1) {
            assert.equal(taken.get(`${cx},${cy}`), undefined, `${title} lies on ${taken.get(`${cx},${cy}`)}`);
            taken.set(`${cx},${cy}`, title);
          }
        }
      }
    });

    test('every panel says how to read it and what to do, and has a title of its own', () => {
      for (const { title, description = '' } of panels)
        assert.match(description, /^.{25,}\n\n\*\*What to do:\*\* .{25,}$/s, title);
      assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
    });

    test('every number has a unit that Grafana knows', () => {
      for (const panel of panels) for (const unit of unitsOf(panel)) assert.ok(UNITS.has(unit), `${panel.title}: ${unit}`);
    });

    test('every variable is declared or Grafana’s own, and every declared one is used', () => {
      // `$__all` is a value of a variable, not a variable.
      const used = new Set(variablesIn(JSON.stringify(dashboard).replaceAll('$__all', '')));
      for (const name of used) assert.ok(declared.has(name) || BUILT_IN.test(name), name);
      for (const { name, type } of variables) {
        // Grafana puts filters into every query by itself.
        if (type !== 'adhoc') assert.ok(used.has(name), `$${name} is declared and not used`);
      }
    });

    test('data sources are variables, declared with their kind', () => {
      for (const [, type, source] of JSON.stringify(dashboard).matchAll(/"datasource":\{"type":"(\w+)","uid":"([^"]*)"\}/g)) {
        assert.equal(source, `\${${type}_datasource}`);
        const variable = variables.find(({ name }) => name === `${type}_datasource`);
        assert.deepEqual([variable?.type, variable?.query], ['datasource', type]);
      }
      for (const { title, targets = [] } of panels)
        for (const target of targets) assert.ok('datasource' in target, `${title}: a query without a data source`);
    });

    test('a choice of all services and all instances matches more than what there is now', () => {
      for (const name of ['job', 'instance']) {
        const variable = variables.find((each) => each.name === name);
        if (variable?.multi) assert.equal(variable.allValue, '.+', name);
      }
      for (const variable of variables.filter(({ datasource }) => datasource?.type === 'loki'))
        assert.equal(variable.allValue, '.+', `Loki refuses a matcher for the empty value: ${variable.name}`);
    });

    test('links lead to dashboards that exist, and set variables that those have', () => {
      for (const url of urlsOf(dashboard)) {
        const match = /^\/d\/([\w-]+)\?(.*)$/.exec(url);
        if (!match) {
          assert.match(url, /^\/explore\?schemaVersion=1&orgId=/);
          continue;
        }
        const target = byUid.get(match[1]);
        assert.ok(target, url);
        const names = new Set(target.templating.list?.map(({ name }) => name));
        for (const [, name] of match[2].matchAll(/(?:^|&)(?:var-(\w+)=)/g)) assert.ok(names.has(name), `${name} of ${url}`);
        assert.match(url, /\$\{__url_time_range\}/, 'keeps the shown time');
      }
    });

    test('links to Explore hold JSON once Grafana has filled them in', () => {
      for (const url of urlsOf(dashboard).filter((each) => each.startsWith('/explore'))) {
        const panes = /panes=(.*)$/.exec(url)?.[1].replaceAll(/\$\{[^}]+\}/g, 'x') ?? '';
        const [pane] = Object.values<any>(JSON.parse(decodeURIComponent(panes)));
        assert.ok(pane.queries[0].expr ?? pane.queries[0].query);
      }
    });

    test('queries name the service, and their counters are rates over a window that fits the scrape interval', () => {
      for (const { title, expr } of promqlOf(panels)) {
        for (const [, name, matchers] of expr.matchAll(/([a-z][\w:]*)\{([^}]*)\}/g)) {
          if (/^traces_service_graph_/.test(name)) continue;
          assert.match(matchers, /job=~"\$job"/, `${title}: ${name}`);
        }
        for (const [counter, window] of expr.matchAll(/[a-z]\w*_(?:total|count|sum|bucket)\{[^}]*\}(\[[^\]]*\])?/g)) {
          // As in `x unless x offset $__range`, and gauges that end like a counter.
          const exempt = window !== undefined || expr.includes(`${counter} offset`) || /connection_count|job_count/.test(counter);
          assert.ok(exempt || expr.includes(`unless ${counter}`), `${title}: ${counter} without a rate`);
        }
        for (const [, window] of expr.matchAll(/(?:rate|increase)\([^[]*\[([^\]]+)\]/g))
          assert.match(window, /^\$__(rate_interval|range)$/, title);
      }
    });
  });
}

function promqlOf(panels: readonly Panel[]): { title: string; expr: string }[] {
  return panels.flatMap(({ title = '', targets = [] }) =>
    (targets as unknown as { expr?: string; datasource: { type: string } }[])
      .filter(({ datasource }) => datasource.type === 'prometheus')
      .map(({ expr = '' }) => ({ title, expr })),
  );
}

/** Units of a panel: of all its values, or of each column of a table. Logs, traces and graphs have none. */
function unitsOf({ type, fieldConfig, targets = [] }: Panel): unknown[] {
  if (type === 'logs' || type === 'nodeGraph') return [];
  if (type !== 'table') return [fieldConfig?.defaults.unit];
  const columns = fieldConfig?.overrides.flatMap(({ properties }) => properties.filter(({ id }) => id === 'unit')) ?? [];
  const source = (targets[0] as unknown as { datasource: { type: string } }).datasource.type;
  if (source === 'prometheus') assert.equal(columns.length, targets.length, 'a unit for each column');
  return columns.map(({ value }) => value);
}
