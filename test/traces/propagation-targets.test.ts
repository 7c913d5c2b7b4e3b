import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTargetFilter } from '../../instrumentation/traces/propagation-targets.ts';

describe('without a setting, private hosts get baggage and the correlation header', () => {
  const isTarget = createTargetFilter([]);
  const PRIVATE = [
    ...['localhost', 'LOCALHOST', 'orders', '3f2a91b04c5d', 'redis_1', 'localhost.'],
    ...[
      'orders.internal',
      'orders.internal.',
      'api.prod.svc.cluster.local',
      'api.prod.svc',
      'nas.lan',
      'router.home.arpa',
      'a.test',
      'x.localhost',
    ],
    ...[
      '127.0.0.1',
      '127.9.9.9',
      '10.0.0.1',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '169.254.1.1',
      '100.64.0.1',
      '0.0.0.0',
    ],
    ...[
      '::1',
      '[::1]',
      '::',
      'fc00::1',
      'fd12:3456::1',
      'fe80::1',
      'febf::1',
      '::ffff:10.0.0.1',
      '::ffff:7f00:1',
      '::ffff:c0a8:1',
    ],
  ];
  for (const host of PRIVATE) it(`yes: ${host}`, () => assert.equal(isTarget(host), true));

  const PUBLIC = [
    ...['example.com', 'api.example.com', 'localhost.evil.com', 'x.internal.evil.com', 'a.svc.evil.com', 'a.local.evil.com'],
    ...['internal', 'local', 'test'].map((name) => `evil${name}.com`),
    ...['x.internal.', 'x.internal'].map((name) => `${name}x`),
    ...['8.8.8.8', '172.15.0.1', '172.32.0.1', '192.169.0.1', '100.128.0.1', '11.0.0.1', '169.253.0.1'],
    // What the resolver takes for 8.8.8.8.
    ...['134744072', '0x08080808', '0X8080808', '8.8.2056', '01002004010', ''],
    ...[
      '2001:db8::1',
      'fc::1',
      'fe8::1',
      'fec0::1',
      'ff02::1',
      '::ffff:8.8.8.8',
      '::ffff:808:808',
      '[::ffff:808:808]',
      '::808:808',
    ],
    ...['10.0.0.1.evil.com', '127.0.0.1.nip.io'],
  ];
  for (const host of PUBLIC) it(`no: ${host || 'no host'}`, () => assert.equal(isTarget(host), false));
});

describe('O11Y_PROPAGATION_TARGETS', () => {
  const ROWS: [patterns: string[], host: string, expected: boolean][] = [
    [['api.example.com'], 'api.example.com', true],
    [['API.Example.com.'], 'api.example.com', true],
    [['api.example.com'], 'x.api.example.com', false],
    [['api.example.com'], 'api.example.com.evil.com', false],
    [['*.example.com'], 'api.example.com', true],
    [['*.example.com'], 'a.b.example.com', true],
    [['*.example.com'], 'example.com', false],
    [['*.example.com'], 'evilexample.com', false],
    [['*.example.com'], 'example.com.evil.com', false],
    [['*'], 'evil.com', true],
    [['[::1]'], '::1', true],
    // What is set by hand takes the place of the private hosts.
    [['api.example.com'], 'localhost', false],
  ];
  for (const [patterns, host, expected] of ROWS) {
    it(`${patterns}: ${host} ${expected ? 'gets' : 'does not get'} them`, () =>
      assert.equal(createTargetFilter(patterns)(host), expected));
  }

  it('the answers that are remembered are bounded, and stay right', () => {
    const isTarget = createTargetFilter([]);
    for (let i = 0; i < 5000; i++) assert.equal(isTarget(`host-${i}.example.com`), false);
    assert.equal(isTarget('localhost'), true);
  });
});
