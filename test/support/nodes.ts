import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './needs.ts';

/** A Node.js version that tests run apps on. */
export interface NodeVersion {
  readonly major: number;
  /** The binary; never to be used where `skip` is a text. */
  readonly path: string;
  /** For a test's `skip` option. */
  readonly skip: string | false;
}

const modules = join(import.meta.dirname, '../../node_modules');

/** Node 22, 24 and 26 come with the dependencies; 20 is tested where it is the machine's own. */
export const NODES: readonly NodeVersion[] = [machineNode(20), ...[22, 24, 26].map(installedNode)];

function installedNode(major: number): NodeVersion {
  const path = join(modules, `node${major}-${process.platform}-${process.arch}`, 'bin', 'node');
  return { major, path, skip: existsSync(path) ? false : `needs node${major}: npm has no binary for this platform` };
}

function machineNode(major: number): NodeVersion {
  const path = findProgram('node') ?? '';
  const version = path && spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 }).stdout;
  const found = version.startsWith(`v${major}.`);
  return { major, path, skip: found ? false : `needs node${major}: the machine's own Node is ${version.trim() || 'missing'}` };
}
