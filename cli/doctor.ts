import { realpathSync, statSync } from 'node:fs';
import { loadConfig } from '../instrumentation/config.ts';
import { style } from '../viewer/terminal/text.ts';
import { parse } from './arguments.ts';
import { type Command, UsageError } from './command.ts';
import { backendOf } from './doctor/backend.ts';
import type { Finding } from './doctor/finding.ts';
import { installation } from './doctor/installed.ts';
import { librariesOf } from './doctor/libraries.ts';
import { nodeOf } from './doctor/node.ts';
import { pageOf } from './doctor/page.ts';
import { preloadOf } from './doctor/preload.ts';
import { report } from './doctor/print.ts';
import { sdksOf } from './doctor/sdks.ts';
import { settingsOf } from './doctor/settings.ts';
import { stackOf } from './doctor/stack.ts';
import { targetsFolder } from './targets.ts';
import { version } from './version.ts';

const help = `Usage: o11y-kit doctor [folder] [options]

Says for an app (the folder of its package.json; by default this one) what would be observed, in which
versions, what would not and why, whether the backend answers, and which settings are odd. The settings
are those of the variables that this command is started with; it changes nothing.

  --json   the same as one JSON object

Ends with 0 if nothing is wrong, 1 otherwise.`;

const doctor: Command = {
  help,
  async run(args, terminal) {
    const { values, positionals } = parse({
      args,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false } },
    });
    if (positionals.length > 1) throw new UsageError(`one folder is wanted, not ${positionals.length}`);
    const folder = folderOf(positionals[0] ?? '.');
    const findings = await examine(folder, terminal.env);
    const ok = findings.every(({ level }) => level !== 'problem');
    if (values.json)
      terminal.out(JSON.stringify({ version: version(), node: process.versions.node, folder, ok, findings }, null, 2));
    else {
      terminal.out(`o11y-kit ${version()} doctor: ${folder}\n`);
      for (const line of report(findings, style(terminal.colour))) terminal.out(line);
    }
    return ok ? 0 : 1;
  },
};

export default doctor;

async function examine(folder: string, env: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  const { config, problems } = loadConfig(env);
  const { packages, missing, manifest } = installation(folder);
  return [
    ...nodeOf(process.versions.node),
    ...preloadOf(folder, manifest, missing, config.surroundings.nodeOptions),
    ...librariesOf(packages, config),
    ...sdksOf(packages),
    ...settingsOf(env, config, problems),
    ...(await backendOf(config)),
    ...(await stackOf(config, env)),
    ...(await pageOf(config, targetsFolder(env))),
  ];
}

/** @throws {UsageError} */
function folderOf(given: string): string {
  try {
    const folder = realpathSync(given);
    if (statSync(folder).isDirectory()) return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new UsageError((error as Error).message);
  }
  throw new UsageError(`there is no folder ${given}`);
}
