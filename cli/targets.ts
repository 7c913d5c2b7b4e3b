import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../instrumentation/config.ts';

/**
 * The folder in which running processes leave their scrape addresses (Prometheus `file_sd`): `O11Y_TARGETS_DIR`, or
 * `o11y-kit/targets` in the user's state folder. Empty if neither can be told.
 */
export function targetsFolder(env: Readonly<Record<string, string | undefined>>): string {
  const { targetsDir, surroundings } = loadConfig(env).config;
  if (targetsDir) return targetsDir;
  return surroundings.stateHome && join(surroundings.stateHome, 'o11y-kit', 'targets');
}

/**
 * Makes that folder: processes announce themselves only where it exists.
 *
 * @returns why it could not be made, or an empty text
 */
export function makeTargetsFolder(env: Readonly<Record<string, string | undefined>>): string {
  const folder = targetsFolder(env);
  if (folder === '') return 'neither XDG_STATE_HOME nor HOME is set';
  try {
    mkdirSync(folder, { recursive: true });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
