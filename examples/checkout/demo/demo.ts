import { showLive } from './live.ts';
import { type Service, startServices } from './service.ts';
import { runTraffic } from './traffic.ts';
import { openViewer } from './viewer.ts';

export interface DemoOptions {
  /** Requests a second. */
  readonly rate: number;
  readonly seed: number;
  /** Port of the viewer; the usual one, or a free one if that is taken, where absent. */
  readonly port: number | undefined;
}

/** Services, traffic, viewer and a live summary until Ctrl-C. Returns the exit code. */
export async function runDemo({ rate, seed, port }: DemoOptions): Promise<number> {
  const ending = new AbortController();
  const { signal } = ending;
  const onSignal = () => {
    if (signal.aborted) process.exit(130);
    ending.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  // `npm start | head`: nobody reads on.
  process.stdout.on('error', () => ending.abort());

  const viewer = await openViewer(port, console.log);
  let services: Service[] = [];
  try {
    services = await startServices({ ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.url }, seed);
    for (const { name, url } of services) console.log(`${name.padEnd(10)}${url}`);
    console.log(`viewer    ${viewer.url}\nCtrl-C ends it all.`);
    const broken = firstToEnd(services, signal);
    await Promise.race([
      broken,
      Promise.all([
        runTraffic({ gateway: services[0].url, rate, signal, onSent: () => {} }),
        showLive({ viewer: viewer.url, services, signal }),
      ]),
    ]);
    return 0;
  } finally {
    ending.abort();
    console.log('\nEnding …');
    await Promise.all(services.map((service) => service.stop()));
    await viewer.close();
  }
}

/** Rejects if a service ends while it should run. */
async function firstToEnd(services: readonly Service[], signal: AbortSignal): Promise<never> {
  const { name, output, how } = await Promise.race(
    services.map(async ({ name, ended, output }) => {
      const exit = await ended;
      return { name, output, how: exit.signal ?? `exit code ${exit.code}` };
    }),
  );
  // Everything ends at Ctrl-C; then this promise has nothing to say.
  if (signal.aborted) return new Promise<never>(() => {});
  throw new Error(`${name} ended by itself (${how}). Its last lines:\n${output().join('\n')}`);
}
