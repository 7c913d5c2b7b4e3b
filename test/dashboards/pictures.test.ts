import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite, test } from 'node:test';
import { DASHBOARDS } from '../../dashboards/index.ts';
import { describeDashboard } from '../../dashboards/parts/describe.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'docs/images/dashboards');
const page = readFileSync(join(root, 'docs/dashboards.md'), 'utf8');
const MOST_BYTES = 250_000;

test('there is a picture of each dashboard, and no other (node scripts/dashboard-pictures.ts)', () => {
  const pictures = globSync('*', { cwd: folder }).map((file) => basename(file, '.png'));
  assert.deepEqual(pictures.sort(), DASHBOARDS.map(({ uid = '' }) => uid).sort());
});

suite('a picture', () => {
  for (const dashboard of DASHBOARDS) {
    const { uid, title } = describeDashboard(dashboard);
    test(`${uid}: small, of this dashboard's layout, in its section, and said to be no picture of Grafana`, () => {
      const png = readFileSync(join(folder, `${uid}.png`));
      assert.equal(png.toString('latin1', 1, 4), 'PNG');
      assert.ok(png.length < MOST_BYTES, `${png.length} bytes`);
      // A panel that was added below changes the height: 34 pixels a row of the grid, and what stands around it.
      const rows = Math.max(...dashboard.panels!.map(({ gridPos }) => gridPos!.y + gridPos!.h));
      const around = png.readUInt32BE(20) - rows * 34;
      assert.ok(around > 60 && around < 94, `${around} pixels beside ${rows} rows: take the pictures again`);
      const section = page.slice(page.indexOf(`\n## ${title}\n`)).split('\n## ')[1];
      assert.ok(section.includes(`](images/dashboards/${uid}.png)`));
      assert.ok(section.includes('not by Grafana'));
    });
  }
});
