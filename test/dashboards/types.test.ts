import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { files } from '../../dashboards/index.ts';
import { stackEnv } from '../support/compose.ts';

const root = join(import.meta.dirname, '../..');
// Below the root, so that the types are found.
const cache = join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'o11y-kit-dashboards-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Grafana's types of a dashboard, of each kind of panel and of each kind of query, as its SDK publishes them; with the values of
 * enumerations for the enumerations, and without the mark of the builder's own. The links of fields are data links, for which the
 * SDK has no type of its own.
 */
const TYPES = `
import type * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import type * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import type * as logs from '@grafana/grafana-foundation-sdk/logs';
import type * as loki from '@grafana/grafana-foundation-sdk/loki';
import type * as nodegraph from '@grafana/grafana-foundation-sdk/nodegraph';
import type * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import type * as stat from '@grafana/grafana-foundation-sdk/stat';
import type * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import type * as table from '@grafana/grafana-foundation-sdk/table';
import type * as tempo from '@grafana/grafana-foundation-sdk/tempo';
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

type Plain<T> = 0 extends 1 & T ? any
  : T extends string ? \`\${T}\`
  : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer E)[] ? Plain<E>[]
  : { [K in keyof T as K extends '_implementsDataqueryVariant' ? never : K]: Plain<T[K]> };

type DataLink = { title: string; url: string; targetBlank?: boolean };
type Defaults<Custom> = Omit<Plain<dashboard.FieldConfig>, 'custom' | 'links'> & { custom?: Plain<Custom>; links?: DataLink[] };
type Target = Plain<prometheus.Dataquery> | Plain<loki.dataquery> | Plain<tempo.Dataquery>;
type PanelOf<Type extends string, Options, Custom> =
  Omit<Plain<dashboard.Panel>, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
    type: Type;
    options?: Plain<Options>;
    targets: Target[];
    fieldConfig?: Omit<Plain<dashboard.FieldConfigSource>, 'defaults'> & { defaults: Defaults<Custom> };
  };
type Panel =
  | PanelOf<'timeseries', timeseries.Options, common.GraphFieldConfig>
  | PanelOf<'stat', stat.Options, never>
  | PanelOf<'table', table.Options, table.FieldConfig>
  | PanelOf<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | PanelOf<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | PanelOf<'logs', logs.Options, never>
  | PanelOf<'nodeGraph', nodegraph.Options, never>;
type Row = Omit<Plain<dashboard.RowPanel>, 'panels'> & { panels: Panel[] };
export type Dashboard = Omit<Plain<dashboard.Dashboard>, 'panels'> & { panels: (Panel | Row)[] };
`;

function check(name: string, json: string): string {
  writeFileSync(join(folder, 'types.ts'), TYPES);
  return compile(name, `import type { Dashboard } from './types.ts';\nexport const it: Dashboard = ${json};\n`);
}

/** What the compiler has against a file, or nothing. */
function compile(name: string, text: string): string {
  writeFileSync(join(folder, `${name}.ts`), text);
  const options = { strict: true, noEmit: true, skipLibCheck: true, target: 'es2023', module: 'nodenext', types: [] };
  const config = { compilerOptions: { ...options, allowImportingTsExtensions: true }, files: [`${name}.ts`] };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', join(folder, `${name}.json`)], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  return status === 0 ? '' : stdout;
}

for (const [name, json] of files()) {
  test(`${name} fits Grafana’s types`, () => assert.equal(check(name.replace('.json', ''), json), ''));
}

/**
 * What `@grafana/schema` says of a whole dashboard, which Grafana's own front end is compiled with. It says nothing of keys of one kind
 * of variable and of annotations of Prometheus, which Grafana reads and writes all the same; of panels' options the types above tell.
 */
const UNTOLD = {
  variables: ['auto', 'auto_min', 'auto_count', 'definition'],
  annotations: ['expr', 'step', 'titleFormat', 'textFormat', 'tagKeys', 'useValueForTime'],
};
const SCHEMA = TYPES.slice(TYPES.indexOf('type Plain<T>'), TYPES.indexOf('type DataLink'));

test('every dashboard fits @grafana/schema, at the version of the Grafana that the stack runs', () => {
  const dashboards = [...files().values()].map((json) => {
    const dashboard = JSON.parse(json);
    for (const each of dashboard.templating.list) for (const key of UNTOLD.variables) delete each[key];
    for (const each of dashboard.annotations.list) for (const key of UNTOLD.annotations) delete each[key];
    return dashboard;
  });
  const fits = (all: unknown) => {
    const head = `import type * as schema from '@grafana/schema';\n${SCHEMA}\n`;
    return compile('schema', `${head}export const all: Plain<schema.Dashboard>[] = ${JSON.stringify(all, null, 1)};\n`);
  };
  assert.equal(fits(dashboards), '');
  assert.match(fits([{ ...dashboards[0], graphTooltip: 7 }]), /DashboardCursorSync/, 'it can tell');
  const require = createRequire(import.meta.url);
  const { version } = JSON.parse(readFileSync(require.resolve('@grafana/schema/package.json'), 'utf8'));
  assert.ok(stackEnv().GRAFANA_IMAGE.endsWith(`:${version}`), `${stackEnv().GRAFANA_IMAGE} and @grafana/schema ${version}`);
});

test('the types are strict enough to tell', () => {
  const [[, json]] = files();
  for (const [right, wrong] of [
    ['"drawStyle": "line"', '"drawStyle": "curve"'],
    ['"lineWidth"', '"lineWidht"'],
    ['"legendFormat"', '"legendFromat"'],
    ['"graphTooltip": 1', '"graphTooltip": 7'],
  ]) {
    assert.ok(json.includes(right), right);
    assert.notEqual(check('wrong', json.replace(right, wrong)), '', wrong);
  }
});
