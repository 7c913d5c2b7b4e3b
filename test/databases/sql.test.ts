import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeSql } from '../../instrumentation/databases/sql.ts';

/** Statement, shape, operation and table; MySQL's dialect where a fifth says so. */
const STATEMENTS: readonly (readonly [string, string, string, string, 'mysql'?])[] = [
  ['select * from orders where id = $1', 'select * from orders where id = $1', 'SELECT', 'orders'],
  ["select 'it''s', 1.5e-3, 0xFF, .5 from t", 'select ?, ?, ?, ? from t', 'SELECT', 't'],
  ["select E'it\\'s secret', 'next' from t", 'select ?, ? from t', 'SELECT', 't'],
  ['select $$secret$$, $tag$ secret $other$ $tag$ from t', 'select ?, ? from t', 'SELECT', 't'],
  ["select 'never ends", 'select ?', 'SELECT', ''],
  ['select 1 -- secret\n from t /* secret */ where a=1', 'select ? from t where a=?', 'SELECT', 't'],
  ['select * from a where x in (1, 2, 3)', 'select * from a where x in (?)', 'SELECT', 'a'],
  ['insert into orders (a, b) values (1,2),(3,4), (5,6)', 'insert into orders (a, b) values (?)', 'INSERT', 'orders'],
  ['insert into t values ($1,$2),($3,$4)', 'insert into t values ($1,$2)', 'INSERT', 't'],
  ['UPDATE ONLY "Order Items" SET x = 1', 'UPDATE ONLY "Order Items" SET x = ?', 'UPDATE', 'Order Items'],
  ['delete from sales.public.orders', 'delete from sales.public.orders', 'DELETE', 'sales.public.orders'],
  ['select a.b from public."t" a', 'select a.b from public."t" a', 'SELECT', 'public.t'],
  ['select t.a from t where t.b = t.c', 'select t.a from t where t.b = t.c', 'SELECT', 't'],
  [
    'SELECT "public"."Order"."id" FROM "public"."Order" WHERE "public"."Order"."total" = $1',
    'SELECT "public"."Order"."id" FROM "public"."Order" WHERE "public"."Order"."total" = $1',
    'SELECT',
    'public.Order',
  ],
  [
    'INSERT INTO "public"."Order" ("id") VALUES ($1) RETURNING "public"."Order"."id"',
    'INSERT INTO "public"."Order" ("id") VALUES ($1) RETURNING "public"."Order"."id"',
    'INSERT',
    'public.Order',
  ],
  ['select * from a . b . c', 'select * from a . b . c', 'SELECT', 'a.b.c'],
  ['with x as (select * from a) select * from x', 'with x as (select * from a) select * from x', 'SELECT', 'a'],
  ['with x as (select 1 from a) delete from b', 'with x as (select ? from a) delete from b', 'DELETE', 'b'],
  ['select * from (select * from inner_t) q', 'select * from (select * from inner_t) q', 'SELECT', 'inner_t'],
  ['select extract(year from d) from events', 'select extract(year from d) from events', 'SELECT', 'events'],
  ['select a is distinct from b from t', 'select a is distinct from b from t', 'SELECT', 't'],
  ['select * from t for update skip locked', 'select * from t for update skip locked', 'SELECT', 't'],
  ['drop table if exists old_orders cascade', 'drop table if exists old_orders cascade', 'DROP', 'old_orders'],
  ['begin', 'begin', 'BEGIN', ''],
  [' ;commit', ';commit', 'COMMIT', ''],
  ['grmbl the database', 'grmbl the database', '_OTHER', ''],
  ['', '', '_OTHER', ''],
  ['select "secret" from `my t` # secret', 'select ? from `my t`', 'SELECT', 'my t', 'mysql'],
  ["select 'it\\'s' from t", 'select ? from t', 'SELECT', 't', 'mysql'],
  ['insert ignore into t values (1)', 'insert ignore into t values (?)', 'INSERT', 't', 'mysql'],
  ['replace into t set a = :name', 'replace into t set a = :name', 'REPLACE', 't', 'mysql'],
];

for (const [statement, shape, operation, collection, dialect] of STATEMENTS) {
  test(`reads ${JSON.stringify(statement)}`, () => {
    assert.deepEqual(describeSql(statement, dialect), { shape, operation, collection });
  });
}

test('a value of a statement never stands in its shape', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(), (text, number) => {
      const secret = `secret${text.replaceAll("'", "''")}secret`;
      const { shape } = describeSql(`select * from t where a = '${secret}' and b = ${number + 100} limit 5`);
      assert.equal(shape, 'select * from t where a = ? and b = ? limit ?');
    }),
  );
});

test('no text is too long or too strange', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      const { shape, collection } = describeSql(text);
      assert.ok(shape.length <= 1001 && collection.length <= 64);
    }),
  );
  const rows = Array.from({ length: 20_000 }, (_, n) => `(${n}, 'secret')`).join(', ');
  const { shape, operation, collection } = describeSql(`insert into t values ${rows}`);
  assert.deepEqual([operation, collection], ['INSERT', 't']);
  assert.ok(shape.length <= 1001);
  assert.doesNotMatch(shape, /secret/);
});
