const MOST_CAUSES = 5;
const MOST_STACK = 16_384;
const MOST_MESSAGE = 4_096;

/** An error as it stands under `err` in a line of the kit. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  /** `retriable`, `transient`, `fatal`, `invalid_input`: what to do about it. Only on the outermost error. */
  readonly category?: string;
  readonly cause?: LoggedError;
}

/**
 * Reads an error, or anything else that was thrown. Never throws; causes are followed five deep, so that a cycle ends.
 *
 * @param categorize gives the category of an error.
 */
export function loggedError(error: unknown, categorize?: (error: unknown) => string, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: text(error), ...category(error, categorize) };
  try {
    const { code, cause } = error as NodeJS.ErrnoException;
    return {
      type: typeName(error),
      message: String(error.message).slice(0, MOST_MESSAGE),
      ...(typeof error.stack === 'string' && { stack: error.stack.slice(0, MOST_STACK) }),
      ...((typeof code === 'string' || typeof code === 'number') && { code }),
      ...category(error, categorize),
      ...(cause !== undefined && depth < MOST_CAUSES && { cause: loggedError(cause, undefined, depth + 1) }),
    };
  } catch {
    return { type: 'Error', message: '[unreadable]' };
  }
}

/** A class that sets no `name` of its own still says more than `Error`. */
function typeName(error: Error): string {
  const { name } = error;
  return name && name !== 'Error' ? String(name) : error.constructor?.name || 'Error';
}

function category(error: unknown, categorize: ((error: unknown) => string) | undefined): { category?: string } {
  try {
    const found = categorize?.(error);
    return found ? { category: found } : {};
  } catch {
    return {};
  }
}

function text(value: unknown): string {
  try {
    return (typeof value === 'object' ? JSON.stringify(value) : String(value)).slice(0, MOST_MESSAGE);
  } catch {
    return '[unreadable]';
  }
}
