import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/tools.ts';
import { APP_PACKAGES, type Variant } from './catalog.ts';

/** Where everything of the bench is kept between runs; git ignores it. */
export const cache = join(root, '.cache/bench');

export interface Installed {
  /** By name of the folder: what identifies its content. */
  readonly states: Record<string, string>;
  /** Of the kit and of each peer. */
  readonly versions: Record<string, string>;
}

/**
 * Puts each variant into a folder of its own, with the apps and their packages, unless it is there as it should be.
 *
 * @throws if npm fails; the message has the end of what it said.
 */
export function install(variants: readonly Variant[]): Installed {
  const states: Record<string, string> = {};
  const versions: Record<string, string> = {};
  for (const variant of variants) {
    if (states[variant.folder]) continue;
    const folder = folderOf(variant);
    mkdirSync(folder, { recursive: true });
    const packages: Record<string, string> = {
      ...APP_PACKAGES,
      ...(variant.packages === 'pack' ? pack(folder) : variant.packages),
    };
    const state = createHash('sha256').update(JSON.stringify(packages)).digest('hex');
    const stamp = join(folder, 'installed');
    if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== state) {
      console.log(`installing ${Object.keys(packages).join(' ')} in ${folder}`);
      rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
      rmSync(join(folder, 'package-lock.json'), { force: true });
      writeFileSync(
        join(folder, 'package.json'),
        JSON.stringify({ name: 'bench', private: true, dependencies: packages }, null, 2),
      );
      npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], folder);
      writeFileSync(stamp, state);
    }
    for (const [from, to] of [
      ['bench/apps/http', 'apps'],
      ['bench/peers', 'peers'],
    ] as const) {
      cpSync(join(root, from), join(folder, to), { recursive: true });
    }
    states[variant.folder] = state;
    for (const name of Object.keys(packages)) versions[name] = versionOf(folder, name);
  }
  return { states, versions };
}

export function folderOf(variant: Pick<Variant, 'folder'>): string {
  return join(cache, variant.folder);
}

/** This tree as users would get it from npm. The file's name holds its hash, so that another content is another package. */
function pack(folder: string): Record<string, string> {
  const [{ filename }] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root));
  const made = join(folder, filename);
  const content = readFileSync(made);
  rmSync(made);
  const name = `o11y-kit-${createHash('sha256').update(content).digest('hex').slice(0, 12)}.tgz`;
  for (const old of globSync('o11y-kit-*.tgz', { cwd: folder })) if (old !== name) rmSync(join(folder, old));
  writeFileSync(join(folder, name), content);
  return { 'o11y-kit': `file:${name}` };
}

function versionOf(folder: string, name: string): string {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function npm(args: string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync('npm', args, { cwd, encoding: 'utf8', timeout: 300_000 });
  if (status !== 0) throw new Error(`npm ${args[0]} in ${cwd}: ${error?.message ?? stderr.trim().slice(-800)}`);
  return stdout;
}
