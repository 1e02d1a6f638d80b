import { expect, it } from 'vitest';
import { createProxies, isNetwork } from './proxies.ts';

it.each<[string, readonly string[], string, string | undefined, string]>([
  ['nobody is trusted unless named', [], '192.0.2.1', '203.0.113.9', '192.0.2.1'],
  ['a proxy names the caller', ['192.0.2.1'], '192.0.2.1', '203.0.113.9', '203.0.113.9'],
  [
    'what the caller wrote itself does not count',
    ['192.0.2.1'],
    '192.0.2.1',
    '8.8.8.8, 203.0.113.9',
    '203.0.113.9',
  ],
  ['proxies behind each other', ['192.0.2.0/24'], '192.0.2.1', '203.0.113.9, 192.0.2.7', '203.0.113.9'],
  ['as IPv6 sockets show IPv4', ['192.0.2.1'], '::ffff:192.0.2.1', '203.0.113.9', '203.0.113.9'],
  ['IPv6', ['2001:db8::/32'], '2001:db8::5', '2001:4860::1', '2001:4860::1'],
  ['a proxy that says nothing is the caller', ['192.0.2.1'], '192.0.2.1', undefined, '192.0.2.1'],
  ['nonsense is no address', ['192.0.2.1'], '192.0.2.1', '203.0.113.9, unknown', '192.0.2.1'],
  ['another peer is not believed', ['192.0.2.1'], '198.51.100.1', '203.0.113.9', '198.51.100.1'],
])('%s', (_, trusted, peer, forwarded, expected) => {
  expect(createProxies(trusted).addressOf(peer, forwarded)).toBe(expected);
});

it.each([
  ['192.0.2.1', true],
  ['192.0.2.0/24', true],
  ['2001:db8::/32', true],
  ['192.0.2.0/33', false],
  ['proxy.example', false],
  ['192.0.2.0/24/1', false],
  ['', false],
])('%s: %s', (text, is) => {
  expect(isNetwork(text)).toBe(is);
});
