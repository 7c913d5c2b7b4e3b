import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Kit } from '../../instrumentation/kit.ts';
import { prisma } from '../../instrumentation/libraries/prisma.ts';
import { failureOf, operationOf } from '../../instrumentation/libraries/prisma-operation.ts';

const PLACES = ['V6_PRISMA_INSTRUMENTATION', 'V7_PRISMA_INSTRUMENTATION', 'PRISMA_INSTRUMENTATION'];
const [, PLACE, ANY_VERSION] = PLACES;
const target = globalThis as unknown as Record<string, any>;

/** Binds, and takes all back. */
function bound(run: () => void): void {
  const undo = prisma.bind!({} as Kit);
  try {
    run();
  } finally {
    undo();
    for (const place of PLACES) delete target[place];
  }
}

describe('where Prisma looks for tracing', () => {
  it('has the helper of the kit, until it is taken back', () => {
    bound(() => {
      assert.equal(typeof target[PLACE].helper.runInChildSpan, 'function');
      assert.equal(target[ANY_VERSION], undefined);
      assert.ok(!Object.keys(globalThis).includes(PLACE));
    });
    assert.ok(PLACES.every((place) => !Object.hasOwn(globalThis, place)));
  });

  it('gives way to a helper for any version', () => {
    bound(() => {
      target[ANY_VERSION] = { helper: 'theirs' };
      assert.equal(target[PLACE].helper, 'theirs');
    });
  });

  it('gives way to a helper for the version, and leaves it there', () => {
    const undo = prisma.bind!({} as Kit);
    target[PLACE] = { helper: 'theirs' };
    undo();
    assert.equal(target[PLACE].helper, 'theirs');
    delete target[PLACE];
  });

  it('leaves one there that came before', () => {
    target[PLACE] = { helper: 'theirs' };
    bound(() => assert.equal(target[PLACE].helper, 'theirs'));
  });

  it("hands on the log lines of a remote engine, which are the app's", () => {
    bound(() => {
      const lines: unknown[] = [];
      target[PLACE].helper.dispatchEngineSpans([], ['a line'], (line: unknown) => lines.push(line));
      assert.deepEqual(lines, ['a line']);
    });
  });
});

describe('what of Prisma becomes an operation', () => {
  const ROWS: readonly [what: string, options: unknown, name: string | undefined][] = [
    ['a call of a model', { name: 'operation', attributes: { method: 'findMany', model: 'Customer' } }, 'Customer.findMany'],
    ['a raw query', { name: 'operation', attributes: { method: 'queryRaw' } }, '$queryRaw'],
    ['a transaction', { name: 'transaction', attributes: { method: '$transaction' } }, '$transaction'],
    ['a step by its name', 'connect', undefined],
    ['a step', { name: 'serialize' }, undefined],
    ['a query', { name: 'db_query', attributes: { 'db.query.text': 'SELECT 1' } }, undefined],
    ['nothing', undefined, undefined],
  ];
  for (const [what, options, name] of ROWS) {
    it(what, () => assert.equal(operationOf(options)?.name, name));
  }
});

describe('what is told of an error of Prisma', () => {
  const failed = (facts: object, message: string) => failureOf(Object.assign(new Error(message), facts));

  it('the last line of a message that has names only', () => {
    const message =
      "\nInvalid `prisma.customer.create()` invocation in\n/app/a.js:1\n\n→ 1 create({ name: 'Grace' })\nUnique: (`id`)";
    assert.deepEqual(failed({ code: 'P2002' }, message), { type: 'P2002', message: 'Unique: (`id`)' });
  });

  it('no message that may have values', () => {
    assert.deepEqual(failed({ code: 'P2010' }, 'Message: `Key (name)=(Grace)`'), { type: 'P2010', message: undefined });
    assert.deepEqual(failed({ name: 'PrismaClientValidationError' }, 'Grace'), {
      type: 'PrismaClientValidationError',
      message: undefined,
    });
  });

  it('the code of a client that could not start', () => {
    assert.equal(failed({ name: 'PrismaClientInitializationError', errorCode: 'P1001' }, 'unreachable').type, 'P1001');
  });

  it('of a hostile one, that it is one', () => {
    const hostile = new Proxy({}, { get: () => assert.fail('read') });
    assert.deepEqual(failureOf(hostile), { type: '_OTHER', message: undefined });
  });
});
