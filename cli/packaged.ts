import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package: this file lies one folder below it, bundled or not. */
export const PACKAGE_ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What can be had on its own, and the folders of the package that belong to it. */
const PARTS = {
  compose: ['compose'],
  dashboards: ['dashboards/json'],
  alerts: ['alerts/rules', 'alerts/loki', 'alerts/runbooks', 'alerts/runbook-dashboards'],
} as const;
export type Part = keyof typeof PARTS;
export const ALL_PARTS = Object.keys(PARTS) as Part[];

/**
 * npm leaves files of this name out of packages, so they are made here: nobody shall commit secrets, or addresses of
 * processes. Also, the folders must exist before the daemon looks for them, which would make them as root.
 */
const IGNORES = ['targets', 'secrets/alertmanager', 'secrets/collector', 'secrets/grafana'].map(
  (folder) => `compose/${folder}/.gitignore`,
);
const IGNORE = '# What lies here belongs to this machine.\n*\n!.gitignore\n';

/** The folders of a part, relative to the package. */
export function foldersOf(part: Part): readonly string[] {
  return PARTS[part];
}

/** The files of these parts, relative to the package and with `/` between folders, in a stable order. */
export function filesOf(parts: readonly Part[]): string[] {
  const found = parts
    .flatMap((part) => PARTS[part])
    .filter((folder) => existsSync(join(PACKAGE_ROOT, folder)))
    .flatMap((folder) =>
      (readdirSync(join(PACKAGE_ROOT, folder), { recursive: true }) as string[])
        .map((name) => `${folder}/${name.split(sep).join('/')}`)
        .filter((name) => isShipped(name) && statSync(join(PACKAGE_ROOT, name)).isFile()),
    );
  return [...found, ...(found.some((name) => name.startsWith('compose/')) ? IGNORES : [])].sort();
}

/** In a clone there may be secrets and targets of its own. */
function isShipped(name: string): boolean {
  return !/^compose\/(secrets|targets)\//.test(name);
}

/** What one of these files holds. */
export function contentOf(file: string): Buffer {
  return IGNORES.includes(file) ? Buffer.from(IGNORE) : readFileSync(join(PACKAGE_ROOT, file));
}
