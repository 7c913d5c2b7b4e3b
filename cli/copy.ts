import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Trouble, UsageError } from './command.ts';
import { ALL_PARTS, contentOf, filesOf, PACKAGE_ROOT, type Part } from './packaged.ts';
import { version } from './version.ts';

/** Where the hashes of what was written are kept. */
const MANIFEST = '.o11y-kit.json';

/**
 * What becomes of a file: `kept` ones were changed by hand and are not written, `gone` ones are no longer part of the
 * package and stay where they are.
 */
export type Fate = 'new' | 'updated' | 'overwritten' | 'same' | 'kept' | 'gone';

const WRITTEN: readonly Fate[] = ['new', 'updated', 'overwritten'];

/** What is to be done to bring a folder up to date. */
export interface Plan {
  readonly fates: ReadonlyMap<string, Fate>;
  /** Hash of each file as it was written last, by which a later plan sees what was changed by hand. */
  readonly written: Readonly<Record<string, string>>;
}

/**
 * Compares a folder with the files of this package.
 *
 * @param force overwrite what was changed by hand
 * @throws {UsageError | Trouble}
 */
export function planFor(folder: string, parts: readonly Part[], force = false): Plan {
  const files = filesOf(parts);
  if (files.length === 0) throw new Trouble(`This installation of o11y-kit has no ${parts.join(', ')}: ${PACKAGE_ROOT}`);
  const before = manifestOf(folder);
  const written = { ...before };
  const fates = new Map<string, Fate>();
  for (const file of files) {
    const ours = hash(contentOf(file));
    const fate = fateOf(hashOf(join(folder, file)), ours, before[file], force);
    fates.set(file, fate);
    if (fate !== 'kept') written[file] = ours;
  }
  const all = new Set(filesOf(ALL_PARTS));
  for (const file of Object.keys(before).filter((name) => !all.has(name))) {
    delete written[file];
    if (hashOf(join(folder, file)) !== undefined) fates.set(file, 'gone');
  }
  return { fates, written };
}

function fateOf(theirs: string | undefined, ours: string, before: string | undefined, force: boolean): Fate {
  if (theirs === undefined) return 'new';
  if (theirs === ours) return 'same';
  if (theirs === before) return 'updated';
  return force ? 'overwritten' : 'kept';
}

/** The files that a plan writes. */
export function toWrite({ fates }: Plan): string[] {
  return [...fates].filter(([, fate]) => WRITTEN.includes(fate)).map(([file]) => file);
}

/** @throws {Trouble} if a file cannot be written; what was written until then stays, and the next plan goes on from there */
export function carryOut(folder: string, plan: Plan): void {
  try {
    for (const file of toWrite(plan)) write(folder, file, contentOf(file));
    write(folder, MANIFEST, `${JSON.stringify({ version: version(), files: plan.written }, null, 2)}\n`);
  } catch (error) {
    throw new Trouble(`Not all could be written: ${(error as Error).message}. Run the command again when that is mended.`);
  }
}

/**
 * Writes a file and the folders above it so that everybody may read them: containers run as users of their own. It appears
 * whole or not at all.
 */
export function write(root: string, name: string, content: Buffer | string): void {
  makeFolders(root, dirname(name));
  const file = join(root, name);
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, content);
    chmodSync(unfinished, 0o644);
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function makeFolders(root: string, below: string): void {
  let folder = root;
  for (const step of ['', ...below.split('/').filter((name) => name !== '.')]) {
    folder = join(folder, step);
    if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
  }
}

function manifestOf(folder: string): Record<string, string> {
  try {
    if (!statSync(folder).isDirectory()) throw new UsageError(`${folder} is not a folder`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error instanceof UsageError ? error : new Trouble((error as Error).message);
  }
  try {
    const { files } = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8'));
    return typeof files === 'object' && files !== null ? files : {};
  } catch {
    // Lost or broken: then every file that differs counts as changed by hand, and nothing is lost.
    return {};
  }
}

function hash(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The hash of a file; undefined if there is none, and a text that no hash equals for what is no plain file. */
function hashOf(file: string): string | undefined {
  try {
    return lstatSync(file).isFile() ? hash(readFileSync(file)) : 'not a plain file';
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new Trouble((error as Error).message);
  }
}
