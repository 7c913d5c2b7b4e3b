import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';
import { type Manifest, placeOf, readManifest } from '../instrumentation/libraries/packages.ts';

/** Licences that allow to pass a package on inside a bundle of another licence, with their text. SPDX identifiers. */
const ALLOWED = /^(MIT|MIT-0|ISC|BSD-2-Clause|BSD-3-Clause|Apache-2\.0|0BSD|BlueOak-1\.0\.0|CC0-1\.0|Python-2\.0)$/;
const TEXT = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

interface Bundled {
  readonly title: string;
  readonly license: string;
  readonly text: string;
}

/**
 * The licence texts of every package that has code in the given bundles, the same text once.
 *
 * @param root the folder to which the paths of the metafiles are relative
 * @throws if a package has no licence text, or a licence that is not on the list
 */
export function thirdPartyLicenses(root: string, metafiles: readonly Metafile[]): string {
  const wrong: string[] = [];
  const byText = new Map<string, Bundled[]>();
  for (const folder of foldersOf(root, metafiles)) {
    try {
      const bundled = read(folder);
      byText.set(bundled.text, [...(byText.get(bundled.text) ?? []), bundled]);
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  if (wrong.length > 0) throw new Error(`Bundled packages that may not be passed on:\n${wrong.sort().join('\n')}`);

  const sections = [...byText.values()]
    .map((group) => {
      const titles = [...new Set(group.map(({ title, license }) => `${title} (${license})`))].sort();
      return `${titles.join('\n')}\n\n${group[0].text}`;
    })
    .sort();
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  return `The files of this folder contain code of these packages.${rule}${sections.join(rule)}\n`;
}

/** Folders of the packages that have bytes in an output. */
function foldersOf(root: string, metafiles: readonly Metafile[]): readonly string[] {
  const folders = new Set<string>();
  for (const { outputs } of metafiles) {
    for (const [path, { bytesInOutput }] of Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs))) {
      const place = placeOf(resolve(root, path));
      if (bytesInOutput > 0 && place !== undefined) folders.add(place.folder);
    }
  }
  return [...folders].sort();
}

/** @throws if the package may not be passed on */
function read(folder: string): Bundled {
  const manifest = readManifest(folder) as (Manifest & { license?: unknown }) | undefined;
  const title = `${manifest?.name ?? folder} ${manifest?.version ?? ''}`.trim();
  const license = String(manifest?.license ?? 'no licence named');
  if (!isAllowed(license)) throw new Error(`${title}: ${license} is not on the list of scripts/licenses.ts`);
  const files = readdirSync(folder).filter((name) => TEXT.test(name));
  const text = files
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').replace(/\r\n?/g, '\n').trim())
    .filter((part) => part !== '')
    .join('\n\n');
  if (text === '') throw new Error(`${title}: it has no licence text (LICENSE, COPYING or NOTICE)`);
  return { title, license, text };
}

/** An SPDX expression of OR and AND, without nested parentheses. */
export function isAllowed(expression: string): boolean {
  return expression
    .replace(/^\(|\)$/g, '')
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((license) => ALLOWED.test(license.trim())));
}
