import type { Server } from '../support/servers/program.ts';

/**
 * One library in matrix.test.ts. Its app is `test/apps/libraries/<app>.cjs`: a function of the library's exports and the
 * server's address that returns actions, each of which answers under a path of its name. The matrix starts the app by
 * `require` and by `import`, with every copy of the library, behind a plain `node:http` server.
 */
export interface Row {
  readonly library: string;
  /** File in test/apps/libraries. */
  readonly app: string;
  /** Packages under which copies are installed, the lowest and highest supported versions among them. */
  readonly copies: readonly string[];
  /** A reason to skip, as `needs` gives it. */
  readonly skip: string | false;
  /** Starts the real server, with what the app expects to find in it; absent where the library talks to none. */
  server?(): Promise<Server & { readonly url: string }>;
  readonly env?: Readonly<Record<string, string>>;
  /** Called one after the other, each in a trace of its own. */
  readonly calls: readonly Call[];
  /** Series of the app's page at the end; `PORT` stands for the server's port. */
  readonly metrics: readonly Series[];
  /** Words that must be in no span, log line or metric: keys, values, passwords. */
  readonly secrets?: readonly string[];
}

export interface Call {
  /** The action's name, with a query if it takes one. */
  readonly path: string;
  /** What it answers, if that says something. */
  readonly answer?: unknown;
  /**
   * The trace, drawn: a line a span with name and kind, then its error; children are indented below their parent.
   *
   * ```
   * GET server
   *   SELECT orders client
   *   INSERT orders client ERROR 23505 invalid_input
   * ```
   */
  readonly trace: string;
  /** Attributes that spans must have, by the name of the span. */
  readonly attributes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Name, labels and value: of a histogram, the number of observations. */
export type Series = readonly [name: string, labels: Readonly<Record<string, string>>, value: number];
