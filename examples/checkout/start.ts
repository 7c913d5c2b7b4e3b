/**
 * `npm start`: the example's three services with the preload, steady traffic, and the viewer.
 * `npm start -- --once`: one bounded round that judges itself and ends with exit code 0 or 1.
 */
import { parseArgs } from 'node:util';
import { runDemo } from './demo/demo.ts';
import { runRound } from './demo/round.ts';
import { describeRound } from './demo/summary.ts';

const HELP = `npm start -- [options]

  --once          one bounded round: send, check what arrived, print a verdict, exit 0 or 1
  --rate N        requests a second (4)
  --count N       with --once: requests that are sent (60)
  --seed N        what goes wrong, and when: the same number, the same outcomes (74)
  --port N        port of the viewer (4318; with --once a free one)
  --help          this text`;

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      rate: { type: 'string', default: '4' },
      count: { type: 'string', default: '60' },
      // With this one a slow, a declined and a failed charge come early.
      seed: { type: 'string', default: '74' },
      port: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const rate = number('--rate', values.rate, 0.1, 200);
  const seed = number('--seed', values.seed, 0, 2 ** 31);
  const port = values.port === undefined ? undefined : number('--port', values.port, 0, 65_535);

  if (!values.once) return runDemo({ rate, seed, port });
  const count = number('--count', values.count, 1, 10_000);
  const round = await runRound({ rate, seed, count, port: port ?? 0 }, console.log);
  console.log(describeRound(round));
  return round.passed ? 0 : 1;
}

function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= min && value <= max) return value;
  throw new RangeError(`${option} must be a number from ${min} to ${max}, not "${text}".`);
}
