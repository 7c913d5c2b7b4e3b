/** pino's numbers, which every line of the kit carries beside its own level. */
export const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;

export type Level = keyof typeof LEVELS;

const NAMES = Object.keys(LEVELS) as Level[];

/** The names of other loggers (npm, syslog, console), by the number that is nearest in meaning. */
const OTHERS: Readonly<Record<string, number>> = {
  silly: 10,
  verbose: 20,
  http: 25,
  log: 30,
  notice: 30,
  success: 30,
  warning: 40,
  err: 50,
  crit: 60,
  critical: 60,
  alert: 60,
  emerg: 60,
  emergency: 60,
  panic: 60,
};

/** The standard level that a number belongs to: 35 is `info`. Anything below `trace` is `trace`, above `fatal` `fatal`. */
export function levelName(level: number): Level {
  const index = Math.floor(level / 10) - 1;
  return NAMES[index >= 0 ? Math.min(index, NAMES.length - 1) : 0];
}

/** The number of a level's name; `info` for a name that nobody knows. */
export function levelNumber(name: unknown): number {
  if (typeof name !== 'string') return LEVELS.info;
  const key = name.toLowerCase();
  return Object.hasOwn(LEVELS, key) ? LEVELS[key as Level] : Object.hasOwn(OTHERS, key) ? OTHERS[key] : LEVELS.info;
}
