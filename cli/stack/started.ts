import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../instrumentation/config.ts';
import type { Env } from './docker.ts';
import type { Stack } from './stack.ts';

/** Folders whose files a service reads only when it starts. Prometheus looks again by itself, compose reads its own files. */
const READ_AT_START = ['alertmanager', 'collector', 'grafana', 'loki', 'tempo'];

/**
 * Whether files that are mounted into containers are others than when the stack was last started. Compose compares what its
 * own files say, not what lies in the folders that they name.
 */
export function hasChanged(stack: Stack, env: Env): boolean {
  try {
    return readFileSync(marker(env), 'utf8') !== fingerprint(stack);
  } catch {
    return true;
  }
}

/** Keeps in mind with which files the stack was started. */
export function remember(stack: Stack, env: Env): void {
  try {
    mkdirSync(dirname(marker(env)), { recursive: true });
    writeFileSync(marker(env), fingerprint(stack));
  } catch {
    // Then the containers are made anew the next time, which costs half a minute and loses nothing.
  }
}

function marker(env: Env): string {
  return join(loadConfig(env).config.surroundings.stateHome, 'o11y-kit', 'started');
}

function fingerprint({ folder }: Stack): string {
  const hash = createHash('sha256').update(folder);
  for (const name of READ_AT_START.flatMap((each) => files(folder, each)))
    hash.update(name).update(readFileSync(join(folder, name)));
  for (const name of files(folder, 'secrets')) {
    // What a secret says is not to be guessed from a file of ours.
    const { size, mtimeMs } = statSync(join(folder, name));
    hash.update(`${name} ${size} ${mtimeMs}`);
  }
  return hash.digest('hex');
}

function files(folder: string, below: string): string[] {
  if (!existsSync(join(folder, below))) return [];
  return (readdirSync(join(folder, below), { recursive: true }) as string[])
    .map((name) => join(below, name))
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}
