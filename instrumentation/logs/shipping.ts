import { logFields } from '../context.ts';
import type { LogItem } from '../export/sink.ts';
import { levelName } from './levels.ts';

/** Longest line that is shipped, in UTF-16 code units; the waiting lines are bounded in number, so each must be in size. */
const MOST_LINE = 65_536;

/** The way of every line, whichever logger made it: counted by level, then out. */
export interface Shipping {
  /** @param line a finished JSON line with its ids. @param level pino's number. @param time ms since the epoch. */
  ship(line: string, level: number, time: number, messageKey: string): void;
  /** Counts a line that somebody else delivers. */
  count(level: number): void;
}

interface Dependencies {
  readonly exporter: 'otlp' | 'console' | 'none';
  readonly outlet: { push(item: LogItem): void };
  /** Called for each line with its standard level. */
  readonly onLine: (level: string) => void;
  /** Where `OTEL_LOGS_EXPORTER=console` writes. */
  readonly print: (item: LogItem) => void;
}

export function createShipping({ exporter, outlet, onLine, print }: Dependencies): Shipping {
  return {
    ship(line, level, time, messageKey) {
      onLine(levelName(level));
      if (exporter === 'none') return;
      const item = line.length > MOST_LINE ? shortened(line, level, time) : { line, level, time, messageKey };
      if (exporter === 'otlp') outlet.push(item);
      else print(item);
    },
    count: (level) => onLine(levelName(level)),
  };
}

/** A line too long to keep becomes the text of a shorter one, under the ids of its context. */
function shortened(line: string, level: number, time: number): LogItem {
  const text = JSON.stringify(`${line.slice(0, MOST_LINE)}…`);
  return { line: `{"msg":${text},"o11y.truncated":${line.length}${logFields()}}`, level, time, messageKey: 'msg' };
}
