/**
 * What may be told of an SQL statement: its shape without a value, its operation, and the first table it names.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/database/database-spans/#sanitization-of-dbquerytext
 */
export interface Statement {
  /** Literals replaced by `?`, lists of them collapsed, comments removed, at most {@link LONGEST_SHAPE} characters. */
  readonly shape: string;
  /** Upper case; `_OTHER` for what is no SQL command that databases have. */
  readonly operation: string;
  /** As written, without quotes; an empty text where the statement names none. */
  readonly collection: string;
}

/** A token is a literal that must not be shown, or text that may. The order decides: comments before operators. */
const TOKENS =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$([A-Za-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)|[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|[bBxXnN]?'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|\[[A-Za-z_][^\]]*\]|\$\d+|[@:]\w+|[\p{L}_][\p{L}\p{N}_$]*|0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\s+|[\s\S]/gu;
/** MySQL: quotes of either kind are strings, and a backslash escapes in them. */
const MYSQL_TOKENS =
  /--[^\n]*|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[bBxXnN]?'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)|`[^`]*(?:`|$)|[@:]\w+|[\p{L}_][\p{L}\p{N}_$]*|0[xX][\da-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\s+|[\s\S]/gu;

const OPERATIONS = new Set(
  `ALTER ANALYZE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DESCRIBE DISCARD DO DROP
  END EXECUTE EXPLAIN FETCH FLUSH GRANT IMPORT INSERT KILL LISTEN LOAD LOCK MERGE MOVE NOTIFY OPTIMIZE PRAGMA PREPARE REASSIGN
  REFRESH REINDEX RELEASE RENAME REPLACE RESET REVOKE ROLLBACK SAVEPOINT SELECT SET SHOW START TABLE TRUNCATE UNLISTEN UNLOCK
  UPDATE USE VACUUM VALUES WITH`.split(/\s+/),
);
/** After these words a table's name follows. */
const BEFORE_TABLE = new Set(['FROM', 'INTO', 'UPDATE', 'JOIN', 'TABLE', 'TRUNCATE']);
/** Words between such a word and the name. */
const FILLERS = new Set(['ONLY', 'IF', 'NOT', 'EXISTS', 'TABLE', 'LATERAL', 'IGNORE', 'LOW_PRIORITY', 'OVERWRITE']);
/** In the brackets of these, FROM comes before no table. */
const FROM_IS_ARGUMENT = new Set(['EXTRACT', 'SUBSTRING', 'TRIM', 'OVERLAY', 'POSITION']);
/** What a WITH is for. */
const MAIN = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE']);

const LONGEST_SHAPE = 1000;
/** What follows is not looked at: statements with thousands of inlined values must not cost milliseconds. */
const LONGEST_READ = 4000;
const LONGEST_NAME = 64;
const MOST_KEPT = 500;

/** A text that begins a word, a name in quotes included. */
const NAME = /^["`[\p{L}_]/u;

type Dialect = 'ansi' | 'mysql';

// Two generations: a flood of texts that never come again takes out none that was asked for lately.
const caches: Record<Dialect, { young: Map<string, Statement>; old: Map<string, Statement> }> = {
  ansi: { young: new Map(), old: new Map() },
  mysql: { young: new Map(), old: new Map() },
};

/** Reads a statement; the same text is read once. Never throws. */
export function describeSql(text: string, dialect: Dialect = 'ansi'): Statement {
  const cache = caches[dialect];
  let statement = cache.young.get(text);
  if (statement !== undefined) return statement;
  statement = cache.old.get(text) ?? readSql(text, dialect);
  if (text.length > LONGEST_READ) return statement;
  if (cache.young.size >= MOST_KEPT) {
    cache.old = cache.young;
    cache.young = new Map();
  }
  cache.young.set(text, statement);
  return statement;
}

function readSql(text: string, dialect: Dialect): Statement {
  const cut = text.length > LONGEST_READ;
  const source = cut ? text.slice(0, LONGEST_READ) : text;
  let shape = '';
  let operation = '';
  let collection = '';
  let expectsTable = false;
  /** The name of the table was the last thing, so a dot goes on with it. */
  let isNaming = false;
  let depth = 0;
  let previous = '';
  /** Brackets in which FROM is an argument, by depth. */
  const arguments_ = new Set<number>();

  for (const [token] of source.matchAll(dialect === 'mysql' ? MYSQL_TOKENS : TOKENS)) {
    if (isComment(token, dialect)) continue;
    if (/^\s/.test(token)) {
      if (shape !== '' && !shape.endsWith(' ')) shape += ' ';
      continue;
    }
    if (isLiteral(token, dialect)) {
      shape += '?';
      expectsTable = false;
      isNaming = false;
      previous = '?';
      continue;
    }
    shape += token;
    const word = token.toUpperCase();
    const wasNaming = isNaming;
    isNaming = false;
    if (token === '(') {
      depth++;
      if (FROM_IS_ARGUMENT.has(previous)) arguments_.add(depth);
      // A subquery's own FROM will name the table.
      expectsTable = false;
    } else if (token === ')') {
      arguments_.delete(depth);
      depth--;
    } else if (NAME.test(token)) {
      if (operation === '') operation = OPERATIONS.has(word) ? word : '_OTHER';
      else if (operation === 'WITH' && depth === 0 && MAIN.has(word)) {
        operation = word;
        // The tables of the parts before are read; this one is what is done.
        if (word !== 'SELECT') collection = '';
      }
      if (wasNaming && collection.endsWith('.')) {
        collection += unquoted(token);
        isNaming = true;
      } else if (expectsTable && !FILLERS.has(word)) {
        collection = unquoted(token);
        expectsTable = false;
        isNaming = true;
      } else if (collection === '' && BEFORE_TABLE.has(word))
        expectsTable = !(word === 'FROM' && (arguments_.has(depth) || previous === 'DISTINCT')) && previous !== 'FOR';
    } else if (token === '.' && wasNaming) {
      collection += '.';
      isNaming = true;
    }
    previous = word;
  }
  const collapsed = collapse(shape.trim());
  return {
    shape: collapsed.length > LONGEST_SHAPE || cut ? `${collapsed.slice(0, LONGEST_SHAPE)}…` : collapsed,
    operation: operation || '_OTHER',
    collection: collection.replace(/\.$/, '').slice(0, LONGEST_NAME),
  };
}

function isComment(token: string, dialect: Dialect): boolean {
  return token.startsWith('--') || token.startsWith('/*') || (dialect === 'mysql' && token.length > 1 && token[0] === '#');
}

function isLiteral(token: string, dialect: Dialect): boolean {
  const first = token.charCodeAt(0);
  if (first >= 48 && first <= 57) return true;
  if (token[0] === '"') return dialect === 'mysql';
  if (token[0] === '.') return token.length > 1;
  if (token[0] === '$') return token.length > 1 && !/^\$\d+$/.test(token);
  return token.includes("'") && !token.startsWith('`') && !token.startsWith('[');
}

/** `IN (?, ?, ?)` is one shape whatever the number of values, and so are the rows of a multi-row INSERT. */
function collapse(shape: string): string {
  return shape
    .replace(/\(\s*(\?|\$\d+)(?:\s*,\s*(?:\?|\$\d+))+\s*\)/g, (list, first: string) => (first === '?' ? '(?)' : list))
    .replace(/(\([^()]*\))(?:\s*,\s*\((?:[^()]*)\))+/g, '$1');
}

function unquoted(name: string): string {
  return /^["`[]/.test(name) ? name.slice(1).replace(/["`\]]$/, '') : name;
}
