#!/usr/bin/env node
import type { Terminal } from './command.ts';
import { main } from './commands.ts';

// `o11y-kit trace … | head` closes the pipe early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const terminal: Terminal = {
  out: (line) => void process.stdout.write(`${line}\n`),
  error: (line) => void process.stderr.write(`${line}\n`),
  // As https://no-color.org has it.
  colour: process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb',
  env: process.env,
};

try {
  process.exitCode = await main(process.argv.slice(2), terminal);
} catch (error) {
  terminal.error(`o11y-kit: ${(error as Error)?.stack ?? error}`);
  process.exitCode = 1;
}
