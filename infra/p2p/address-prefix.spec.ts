import { multiaddr } from '@multiformats/multiaddr';
import { expect, it } from 'vitest';
import { addressPrefix } from './address-prefix.ts';

it.each([
  ['/ip4/127.0.0.1/tcp/4001', '127.0.0.0/16'],
  ['/ip4/203.0.113.9/tcp/4001', '203.0.0.0/16'],
  ['/ip6/2001:db8:1::7/tcp/4001', '2001:db8::/32'],
  ['/ip6/::1/tcp/4001', '0:0::/32'],
  ['/ip6/2001::/tcp/4001', '2001:0::/32'],
  ['/dns4/node.example/tcp/4001', 'unknown'],
])('%s is in %s', (address, prefix) => {
  expect(addressPrefix(multiaddr(address))).toBe(prefix);
});
