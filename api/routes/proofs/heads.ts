import { bytesToHex } from '@noble/hashes/utils.js';
import { roundStart } from '../../../domain/proof/availability.ts';
import type { AvailabilityProof, Beacon } from '../../../domain/proof/availability-record.ts';
import { isBefore } from '../../../domain/time.ts';
import type { RouteDependencies } from '../../dependencies.ts';

/**
 * The heads among a proof's beacons that this log signed, each in its round or the one before: what was drawn from an
 * older one could be known long before it was asked.
 */
export const trustedHeads = async (
  transparency: Pick<RouteDependencies['transparency'], 'checkpointAt'>,
  { record: { terms }, rounds }: AvailabilityProof,
): Promise<Beacon[]> => {
  const heads: Beacon[] = [];
  for (const [round, { beacon }] of rounds.entries()) {
    const checkpoint = await transparency.checkpointAt(BigInt(beacon.size));
    const isFresh =
      checkpoint !== null &&
      !isBefore(checkpoint.signedAt, roundStart(terms, round - 1)) &&
      isBefore(checkpoint.signedAt, roundStart(terms, round + 1));
    if (isFresh) heads.push({ size: beacon.size, root: bytesToHex(checkpoint.root) });
  }
  return heads;
};
