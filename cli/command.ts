/** Where a command writes, and what it knows of its surroundings. */
export interface Terminal {
  out(line: string): void;
  error(line: string): void;
  /** Whether the output is a terminal that shows colours. */
  colour: boolean;
  env: Readonly<Record<string, string | undefined>>;
}

/** A command of `o11y-kit`; one file each. */
export interface Command {
  /** The whole help text. */
  help: string;
  /**
   * @param args what stands behind the command's name
   * @returns the exit code
   * @throws {UsageError} if the arguments are wrong
   */
  run(args: string[], terminal: Terminal): Promise<number>;
}

/** Wrong arguments: said with a hint at the help, and exit code 2. */
export class UsageError extends Error {}

/** What a command cannot do, and what its user can do about it: said as it is, and exit code 1. */
export class Trouble extends Error {}
