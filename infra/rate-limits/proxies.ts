import { BlockList, isIP } from 'node:net';

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const plainOf = (address: string): string => MAPPED.exec(address)?.[1] ?? address;

/** An address, or a network in CIDR notation. */
export const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
};

/** Whose word on a caller's address counts. */
export interface Proxies {
  /**
   * The caller's address: the peer's, unless the peer is a trusted proxy; then the last address of `X-Forwarded-For` that
   * is none. What stands before that one anybody could have written.
   */
  addressOf(peer: string, forwardedFor: string | undefined): string;
}

/** @param trusted addresses and networks (`isNetwork`) of proxies; with none no header is believed. */
export const createProxies = (trusted: readonly string[]): Proxies => {
  const known = new BlockList();
  for (const each of trusted) {
    const [address = '', bits] = each.split('/');
    const type = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) known.addAddress(address, type);
    else known.addSubnet(address, Number(bits), type);
  }
  const isTrusted = (address: string): boolean => {
    const version = isIP(address);
    return version !== 0 && known.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
  return {
    addressOf: (peer, forwardedFor) => {
      let address = plainOf(peer);
      const told = (forwardedFor ?? '').split(',').map((each) => plainOf(each.trim()));
      while (isTrusted(address)) {
        const before = told.pop();
        // Nothing more is said, or nothing that is an address: whoever said the last thing is the caller.
        if (before === undefined || isIP(before) === 0) return address;
        address = before;
      }
      return address;
    },
  };
};
