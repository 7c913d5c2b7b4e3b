import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { createRedactor, REDACTED } from '../../instrumentation/redaction.ts';

const redactor = createRedactor(['ssn', 'Card-Number']);

for (const key of [
  'authorization',
  'Authorization',
  'proxy-authorization',
  'cookie',
  'Set-Cookie',
  'password',
  'DB_PASSWORD',
  'userPassword',
  'passwd',
  'token',
  'accessToken',
  'refresh_token',
  'x-csrf-token',
  'secret',
  'client.secret',
  'api_key',
  'apiKey',
  'X-API-Key',
  'private_key',
  'aws_secret_access_key',
  'credentials',
  'ssn',
  'SSN',
  's_s_n',
  'cardNumber',
  'CARD NUMBER',
]) {
  test(`the value of "${key}" is removed`, () => {
    assert.equal(redactor.isSecret(key), true);
    assert.deepEqual(redactor.value({ outer: [{ [key]: 'v4lue' }] }), { outer: [{ [key]: REDACTED }] });
  });
}

for (const key of [
  'max_tokens',
  'token_count',
  'gen_ai.usage.input_tokens',
  'secretary',
  'passenger',
  'author',
  'keyboard',
  'ssnx',
  'cookieBanner',
]) {
  test(`the value of "${key}" stays`, () => {
    assert.equal(redactor.isSecret(key), false);
    assert.deepEqual(redactor.value({ [key]: 'v4lue' }), { [key]: 'v4lue' });
  });
}

test('absent secrets stay visibly absent', () => {
  assert.deepEqual(redactor.value({ token: null, password: '', secret: 0 }), { token: null, password: '', secret: REDACTED });
});

const TEXTS: [name: string, text: string, expected: string][] = [
  ['a query', '/login?user=ann&token=abc123&next=%2F', `/login?user=ann&token=${REDACTED}&next=%2F`],
  ['an encoded key', '/x?api%5Fkey=abc', `/x?api%5Fkey=${REDACTED}`],
  ['a key in brackets', '/x?user[password]=abc&a=1', `/x?user[password]=${REDACTED}&a=1`],
  ['a user info', 'postgres://ann:pa55@db:5432/shop', `postgres://${REDACTED}@db:5432/shop`],
  [
    'a bearer token in prose',
    'sent Authorization: Bearer abc.def-ghi to billing',
    `sent Authorization: Bearer ${REDACTED} to billing`,
  ],
  ['a basic credential', 'Basic dXNlcjpwYXNz and authorization', `Basic ${REDACTED} and authorization`],
  ['a JSON web token', 'got eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl back', `got ${REDACTED} back`],
  ['a pair in prose', 'connecting with password=hunter2, user=ann', `connecting with password=${REDACTED}, user=ann`],
];
for (const [name, text, expected] of TEXTS) {
  test(`secrets in a text are removed: ${name}`, () => assert.equal(redactor.text(text), expected));
}

test('a text without secrets is the same text', () => {
  for (const text of ['GET /orders/17 200', 'mail to ann@example.com', 'a=b&c=d', 'https://example.com/@ann']) {
    assert.equal(redactor.text(text), text);
  }
});

test('a JSON line keeps its very text where nothing is suspect', () => {
  const line = '{"level":30,"time":1, "msg":"x\\u0041"}\n';
  assert.equal(redactor.line(line), line);
});

test('a JSON line loses its secrets at any depth, and keeps its line break', () => {
  const line = '{"msg":"call","req":{"headers":{"cookie":"a=b","host":"x"},"url":"/?token=t"}}\n';
  const expected = `{"msg":"call","req":{"headers":{"cookie":"${REDACTED}","host":"x"},"url":"/?token=${REDACTED}"}}\n`;
  assert.equal(redactor.line(line), expected);
});

test('a line that is no JSON is cleaned as a text', () => {
  assert.equal(redactor.line('{broken password=hunter2'), `{broken password=${REDACTED}`);
});

test("the app's objects are never changed", () => {
  const headers = Object.freeze({ cookie: 'a=b' });
  const object = { headers, list: [headers], when: new Date(0) };
  const before = structuredClone(object);
  redactor.value(object);
  assert.deepEqual(object, before);
});

test('hostile objects become data: cycles, throwing getters, proxies, toJSON, __proto__', () => {
  const cycle: Record<string, unknown> = { name: 'a' };
  cycle.self = cycle;
  const throwing = {
    get bad(): string {
      throw new Error('no');
    },
    good: 1,
  };
  const proxy = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('no');
      },
    },
  );
  const json = {
    toJSON() {
      throw new Error('no');
    },
  };
  const proto = JSON.parse('{"__proto__":{"polluted":true}}');
  assert.deepEqual(redactor.value({ cycle, throwing, proxy, json }), {
    cycle: { name: 'a', self: '[circular]' },
    throwing: { bad: '[unreadable]', good: 1 },
    proxy: '[unreadable]',
    json: '[unreadable]',
  });
  const copy = redactor.value(proto) as object;
  assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  assert.equal(JSON.stringify(copy), '{"__proto__":{"polluted":true}}');
});

test('values of every type become JSON data', () => {
  const value = {
    date: new Date(0),
    map: new Map([['password', 'x']]),
    set: new Set([1]),
    bytes: Buffer.from('abc'),
    big: 12n,
    error: new TypeError('token=abc'),
    fn() {},
    symbol: Symbol('s'),
    nothing: undefined,
  };
  assert.deepEqual(redactor.value(value), {
    date: '1970-01-01T00:00:00.000Z',
    map: { password: REDACTED },
    set: [1],
    bytes: '[3 bytes]',
    big: '12',
    error: { type: 'TypeError', message: `token=${REDACTED}` },
  });
});

test('an object is bounded in depth, in width and in all', () => {
  let deep: unknown = 'end';
  for (let i = 0; i < 50; i++) deep = { deep };
  assert.match(JSON.stringify(redactor.value(deep)), /\[truncated\]/);
  const wide = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]));
  assert.ok(Object.keys(redactor.value(wide) as object).length <= 201);
  assert.equal((redactor.value(Array(10_000).fill(0)) as unknown[]).length, 201);
  const huge = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => ({ a: 1 })));
  assert.ok(JSON.stringify(redactor.value(huge)).length < 1_000_000);
});

test('a key with regular expression characters is taken literally', () => {
  const odd = createRedactor(['a+b(', '.*']);
  assert.equal(odd.isSecret('a+b('), true);
  assert.equal(odd.isSecret('anything'), false);
  assert.equal(odd.line('{"a+b(":"x"}'), `{"a+b(":"${REDACTED}"}`);
});

test('no secret survives, whatever stands around it, and no value ever throws', () => {
  const secret = 'S3cr3tV4lue';
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom('password', 'apiKey', 'set-cookie', 'ssn'), (value, key) => {
      const line = JSON.stringify({ a: value, list: [{ [key]: secret }], b: value });
      assert.ok(!redactor.line(line).includes(secret));
    }),
  );
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withNullPrototype: true }),
      (value) => void JSON.stringify(redactor.value(value)),
    ),
  );
});

test('no pattern backtracks without bound on a long text', () => {
  for (const piece of ['a', '=', '://', 'token', 'eyJa.', 'Bearer ', '%', '%41', '-eyJ', '-eyJaaaa']) {
    const text = `password ${piece.repeat(200_000 / piece.length)}`;
    // A synchronous call can only be ended from outside; one that backtracks would take minutes.
    const read = runInNewContext('() => read(text)', { read: redactor.text, text });
    assert.equal(runInNewContext('typeof read()', { read }, { timeout: 20_000 }), 'string', piece);
  }
});
