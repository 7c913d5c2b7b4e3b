import { type Style, safe, style } from '../viewer/terminal/text.ts';
import { parse } from './arguments.ts';
import type { Command } from './command.ts';
import { portOwner } from './port-owner.ts';
import { type Container, containers, isWell } from './stack/containers.ts';
import { engine } from './stack/engine.ts';
import { describe } from './stack/failure.ts';
import { type Knowledge, knowledge } from './stack/prometheus.ts';
import { ADDRESSES, SERVICES, urlOf } from './stack/services.ts';
import { version } from './version.ts';

const help = `Usage: o11y-kit status [options]

Says how the full stack does: each service by Docker's health check and by whether it answers on this machine, which apps
Prometheus reaches, what arrives, and which alerts fire.

  --json   the same as one JSON object

Ends with 0 if every service is well, 1 if one is not, 3 if the stack is not running.`;

const status: Command = {
  help,
  async run(args, terminal) {
    const { values } = parse({ args, options: { json: { type: 'boolean', default: false } } });
    await engine(terminal.env);
    const all = await containers(terminal.env);
    const services = await Promise.all([...all.map(serviceOf), ...missing(all)]);
    const running = all.some(({ state }) => state === 'running');
    const ok = running && services.every((one) => one.ok);
    const prometheus = services.find((one) => one.service === 'prometheus')?.addresses[0]?.url;
    const known = prometheus === undefined ? undefined : await knowledge(prometheus);
    if (values.json)
      terminal.out(JSON.stringify({ version: version(), running, ok, services, prometheus: known ?? null }, null, 2));
    else if (!running) terminal.out('The stack is not running. Start it: o11y-kit up');
    else {
      for (const line of report(services, known, style(terminal.colour))) terminal.out(line);
      if (!ok) terminal.out('\nNot all is well: o11y-kit up tries again, and says why it is not.');
    }
    return ok ? 0 : running ? 1 : 3;
  },
};

export default status;

interface Service {
  readonly service: string;
  /** `healthy`, `unhealthy`, `starting`, `missing`, … */
  readonly state: string;
  readonly ok: boolean;
  readonly addresses: readonly { title: string; url: string; answers: boolean | undefined }[];
}

async function serviceOf(container: Container): Promise<Service> {
  const addresses = await Promise.all(
    ADDRESSES.filter(({ service }) => service === container.service).flatMap(({ title, target, ready }) =>
      container.ports
        .filter((port) => port.target === target)
        .slice(0, 1)
        .map(async ({ host, port }) => ({
          title,
          url: urlOf(host, port),
          answers: await answers(port, urlOf(host, port), target, ready),
        })),
    ),
  );
  const ok = isWell(container) && addresses.every((one) => one.answers !== false);
  return { service: container.service, state: describe(container), ok, addresses };
}

/** @returns undefined where nobody can tell */
async function answers(port: number, url: string, target: number, ready: string | undefined): Promise<boolean | undefined> {
  if (target === 4318) return (await portOwner(port)).kind === 'collector';
  if (ready === undefined) return undefined;
  try {
    const answer = await fetch(url + ready, { signal: AbortSignal.timeout(5000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

function missing(all: readonly Container[]): Service[] {
  // Started so that it only sends elsewhere, the stack is no more than this.
  if (all.every(({ service }) => service.startsWith('collector'))) return [];
  return SERVICES.filter((name) => !all.some(({ service }) => service === name)).map((service) => ({
    service,
    state: 'missing',
    ok: false,
    addresses: [],
  }));
}

function report(services: readonly Service[], known: Knowledge | undefined, paint: Style): string[] {
  const width = Math.max(...services.map(({ service }) => service.length));
  const lines = services.map(({ service, state, ok, addresses }) => {
    const silent = addresses.filter((one) => one.answers === false).map(({ url }) => url);
    const expected = state === 'healthy' || state === 'running';
    const urls =
      expected && silent.length > 0 ? `does not answer at ${silent.join(', ')}` : addresses.map(({ url }) => url).join('  ');
    return `  ${ok ? paint.green('✓') : paint.red('✗')} ${service.padEnd(width)}  ${state.padEnd(10)} ${urls}`.trimEnd();
  });
  if (known === undefined) return [...lines, '', 'Prometheus does not answer: what it scrapes is not known.'];
  return [
    ...lines,
    '',
    ...apps(known, paint),
    ...(known.firing.length > 0 ? [paint.red(`Firing:   ${known.firing.map(safe).join(', ')}`)] : ['Firing:   no alert']),
  ];
}

function apps({ targets, series, spans, lines }: Knowledge, paint: Style): string[] {
  // Not the stack itself, and not the machine that the overlay host-metrics looks at.
  const own = targets.filter(({ job, pool }) => !SERVICES.includes(job) && pool !== 'host');
  const down = targets.filter(({ up }) => !up);
  const processes = own.filter(({ up }) => up).length;
  const jobs = [...new Set(own.filter(({ up }) => up).map(({ job }) => job))].sort();
  const arrived = [spans === undefined ? '' : `${number(spans)} spans`, lines === undefined ? '' : `${number(lines)} log lines`];
  const counted = [
    series === undefined ? '' : `${number(series)} series`,
    arrived.some(Boolean) ? `about ${arrived.filter(Boolean).join(' and ')} in the last 5 minutes` : '',
  ].filter(Boolean);
  return [
    jobs.length > 0
      ? `Apps:     ${jobs.map(safe).join(', ')} (${processes} ${processes === 1 ? 'process' : 'processes'})`
      : 'Apps:     none is scraped yet: node --import o11y-kit/preload app.js',
    ...down.map(({ job, instance, error }) => paint.red(`Down:     ${safe(job)} at ${safe(instance)}: ${safe(error)}`)),
    ...(counted.length > 0 ? [`Holds:    ${counted.join('; ')}`] : []),
  ];
}

function number(n: number): string {
  return n.toLocaleString('en-US');
}
