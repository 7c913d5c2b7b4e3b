import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { type Diagnostics, reason } from '../diagnostics.ts';

/** Most files of others that are looked at. */
const MOST_FILES = 500;

export interface Target {
  /** `host:port`. */
  readonly address: string;
  readonly job: string;
  readonly service: string;
}

/**
 * Leaves the scrape address of this process in the folder for targets, if that folder exists, as one Prometheus `file_sd`
 * file. It appears whole or not at all. Synchronous and tiny, so that the end of a process cannot fall into its middle.
 *
 * @returns removes the file
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
 */
export function announce(
  target: Target,
  config: Pick<Config, 'targetsDir' | 'surroundings'>,
  diagnostics: Diagnostics,
): () => void {
  const folder = folderOf(config);
  if (!folder || !existsSync(folder)) {
    if (config.targetsDir)
      diagnostics.warn(`O11Y_TARGETS_DIR: there is no folder ${folder}; the scrape address is not announced.`);
    return () => {};
  }
  const file = join(folder, `${fileName(target.service)}-${process.pid}.json`);
  const half = `${file}.tmp`;
  const groups = [{ targets: [target.address], labels: { job: target.job, instance: target.address } }];
  try {
    removeStale(folder, target.address);
    writeFileSync(half, JSON.stringify(groups) + '\n');
    // Prometheus runs as a user of its own, in a container or out of a package, and must read it whatever the umask here.
    chmodSync(half, 0o644);
    renameSync(half, file);
  } catch (error) {
    remove(half);
    diagnostics.warn(`The scrape address could not be announced in ${folder}: ${reason(error)}`);
    return () => {};
  }
  return () => remove(file);
}

/** A file with the address that is ours now was left by a process that was killed: it would give our numbers its name. */
function removeStale(folder: string, address: string): void {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  for (const name of names.slice(0, MOST_FILES)) {
    const file = join(folder, name);
    try {
      const groups: { targets?: unknown[] }[] = JSON.parse(readFileSync(file, 'utf8'));
      if (groups.some(({ targets }) => targets?.includes(address))) remove(file);
    } catch {
      // Not one of ours, or gone meanwhile.
    }
  }
}

function folderOf({ targetsDir, surroundings }: Pick<Config, 'targetsDir' | 'surroundings'>): string {
  if (targetsDir) return targetsDir;
  return surroundings.stateHome && join(surroundings.stateHome, 'o11y-kit', 'targets');
}

function fileName(service: string): string {
  return service.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 100) || 'service';
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A read-only or vanished folder: readers tolerate files of dead processes.
  }
}
