import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Set by the build. */
declare const O11Y_KIT_VERSION: string | undefined;

/** The version of this package. */
export function version(): string {
  if (typeof O11Y_KIT_VERSION === 'string') return O11Y_KIT_VERSION;
  return JSON.parse(readFileSync(fileURLToPath(new URL('../package.json', import.meta.url)), 'utf8')).version;
}
