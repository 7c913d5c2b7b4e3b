import { join, relative } from 'node:path';
import { parse } from './arguments.ts';
import { type Command, type Terminal, UsageError } from './command.ts';
import { carryOut, type Fate, type Plan, planFor, toWrite } from './copy.ts';
import { ALL_PARTS, type Part } from './packaged.ts';

/** Where `up` looks for a project's own copy. */
export const INIT_FOLDER = 'observability';

const help = `Usage: o11y-kit init [folder] [options]

Copies the docker compose stack, the dashboards and the alert rules into a project, to be kept and changed there.
The folder is ${INIT_FOLDER} by default. Run again after an update of o11y-kit, it brings what is new and leaves alone what
you have changed.

  --only PART   compose, dashboards or alerts; may be given more than once
  --force       overwrite files that you have changed
  --dry-run     only say what would be done`;

const init: Command = {
  help,
  async run(args, terminal) {
    const { values, positionals } = parse({
      args,
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        force: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
      },
    });
    if (positionals.length > 1) throw new UsageError(`one folder is wanted, not ${positionals.length}`);
    const folder = positionals[0] ?? INIT_FOLDER;
    const parts = partsOf(values.only);
    const plan = planFor(folder, parts, values.force);
    if (!values['dry-run']) carryOut(folder, plan);
    report(folder, plan, values['dry-run'], terminal);
    if (!values['dry-run']) for (const line of nextSteps(folder, parts)) terminal.out(line);
    return 0;
  },
};

export default init;

function partsOf(given: readonly string[]): readonly Part[] {
  const names = given.flatMap((text) => text.split(','));
  const unknown = names.find((name) => !ALL_PARTS.includes(name as Part));
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: one of ${ALL_PARTS.join(', ')} is wanted`);
  return names.length === 0 ? ALL_PARTS : (names as Part[]);
}

const WHY: Record<Exclude<Fate, 'same'>, string> = {
  new: '',
  updated: '  (you had not changed it)',
  overwritten: '  (your changes are gone: --force)',
  kept: '  (you changed it; --force overwrites)',
  gone: '  (no longer part of o11y-kit; delete it if you do not need it)',
};

function report(folder: string, plan: Plan, dry: boolean, terminal: Terminal): void {
  let same = 0;
  for (const [file, fate] of plan.fates) {
    if (fate === 'same') same++;
    else
      terminal.out(
        `  ${{ new: '+', updated: '~', overwritten: '!', kept: '=', gone: '?' }[fate]} ${join(folder, file)}${WHY[fate]}`,
      );
  }
  const wrote = toWrite(plan).length;
  const kept = [...plan.fates.values()].filter((fate) => fate === 'kept').length;
  const counts = [`${wrote} ${dry ? 'would be written' : 'written'}`, `${same} as they are`, `${kept} left as you changed them`];
  terminal.out(`${folder}: ${counts.join(', ')}.`);
}

/** What is true now, in one line for each part. */
function nextSteps(folder: string, parts: readonly Part[]): string[] {
  const at = (path: string) => relative('.', join(folder, path)) || '.';
  const lines: Record<Part, string> = {
    compose: `Start the stack:  docker compose -f ${at('compose/compose.yaml')} up --detach --wait   (npx o11y-kit up also checks, and says what is wrong)`,
    dashboards: `Dashboards:       Grafana → Dashboards → New → Import takes each file of ${at('dashboards/json')}`,
    alerts: `Alert rules:      add ${at('alerts/rules/*.yml')} to rule_files in prometheus.yml, and reload Prometheus`,
  };
  return ['', ...parts.map((part) => lines[part])];
}
