import type { Multiaddr } from '@multiformats/multiaddr';

/** The eight 16-bit groups of an IPv6 address; null for text that is none. */
const groupsOf = (address: string): string[] | null => {
  const [head = '', tail, ...rest] = address.split('%')[0]?.split('::') ?? [];
  if (rest.length > 0) return null;
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  return [...left, ...new Array<string>(missing).fill('0'), ...right];
};

/**
 * The network an address belongs to, as coarse as diversity rules need it: its IPv4 /16 or IPv6 /32, else `unknown`.
 * The full address stays out of the log.
 */
export const addressPrefix = (address: Multiaddr): string => {
  for (const { name, value } of address.getComponents()) {
    if (name === 'ip4' && value) return `${value.split('.').slice(0, 2).join('.')}.0.0/16`;
    if (name === 'ip6' && value) {
      const groups = groupsOf(value);
      return groups ? `${groups.slice(0, 2).join(':')}::/32` : 'unknown';
    }
  }
  return 'unknown';
};
