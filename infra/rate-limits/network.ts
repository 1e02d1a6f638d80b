import { isIPv4, isIPv6 } from 'node:net';

/** An IPv4 address as IPv6 sockets show it. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The eight 16-bit groups of an IPv6 address, in hex without leading zeros. */
const groupsOf = (address: string): string[] => {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...new Array<string>(missing).fill('0'), ...right].map((group) =>
    Number.parseInt(group, 16).toString(16),
  );
};

/**
 * The network that an address is counted with: its IPv4 /24, its IPv6 /64, which one customer has at least; else the
 * text itself.
 */
export const networkOf = (address: string): string => {
  const plain = MAPPED.exec(address)?.[1] ?? address.split('%')[0] ?? '';
  if (isIPv4(plain)) return `${plain.split('.').slice(0, 3).join('.')}.0/24`;
  // Other notations of an embedded IPv4 address are no address of a peer.
  if (!isIPv6(plain) || plain.includes('.')) return plain;
  return `${groupsOf(plain).slice(0, 4).join(':')}::/64`;
};
