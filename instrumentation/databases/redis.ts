/** What is special about Redis, for both of its clients. */

/** These wait for something to happen: their duration says nothing of the server. */
const BLOCKING =
  /^(BLPOP|BRPOP|BRPOPLPUSH|BLMOVE|BLMPOP|BZPOPMIN|BZPOPMAX|BZMPOP|WAIT|WAITAOF|MONITOR|[PS]?SUBSCRIBE|[PS]?UNSUBSCRIBE)$/;
/** These wait if they are told to. */
const MAY_BLOCK = /^XREAD(GROUP)?$/i;

/** Commands have few and short names; anything else is an app's own, perhaps made of its data. */
const COMMAND = /^[A-Z][A-Z0-9._]{0,30}( [A-Z0-9._]{1,30})?$/;

/**
 * For the official instrumentations' `dbStatementSerializer`: the command alone, since keys hold ids and values hold
 * anything. `BLOCK` is kept: it tells a poll from a read.
 */
export function describeCommand(name: string, args: readonly unknown[] = []): string {
  return MAY_BLOCK.test(name) && args.some((arg) => typeof arg === 'string' && arg.toUpperCase() === 'BLOCK')
    ? `${name.toUpperCase()} BLOCK`
    : String(name).toUpperCase();
}

export interface Command {
  /** Upper case, without what says that it was sent with others. */
  readonly operation: string;
  readonly blocks: boolean;
  /** One of a pipeline or transaction. */
  readonly batched: boolean;
}

/** @param operation `db.operation.name` as the instrumentations write it: `get`, `PIPELINE get`, `MULTI` */
export function readCommand(operation: string, query: string): Command {
  const [, batch, own = ''] = /^(?:(MULTI|PIPELINE) ?)?(.*)$/i.exec(operation) ?? [];
  // A batch of different commands is only called by its kind; the text still names this one.
  const command = (own || query || batch || '').toUpperCase();
  return {
    operation: COMMAND.test(command) ? command.replace(/ BLOCK$/, '') : '_OTHER',
    blocks: BLOCKING.test(command) || query.endsWith(' BLOCK'),
    batched: batch !== undefined && (own !== '' || query !== ''),
  };
}
