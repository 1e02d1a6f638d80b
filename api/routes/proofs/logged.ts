import { hexToBytes } from '@noble/hashes/utils.js';
import type { RecordedEvent } from '../../../domain/event.ts';
import { leafOfEnvelope } from '../../../infra/event-store/hash.ts';
import type { Checkpoint, TransparencyLog } from '../../../infra/tlog/transparency-log.ts';
import { verifyCheckpoint, verifyInclusion } from '../../../infra/verify/index.ts';
import { type Inclusion, inclusionOf } from '../log/inclusion.ts';

/** What the signed log says of an event. */
interface Logged {
  /** Null as long as no checkpoint covers the event. */
  readonly inclusion: Inclusion | null;
  /** Whether path and signature hold for the event as it is stored. */
  readonly pathValid: boolean | null;
}

/** Looks an event up in the newest checkpoint, and checks the answer as an outsider would. */
export const loggedIn = async (
  newest: Checkpoint | null,
  transparency: TransparencyLog,
  { position }: Pick<RecordedEvent, 'position'>,
): Promise<Logged> => {
  if (!newest || newest.size < position) return { inclusion: null, pathValid: null };
  const inclusion = await inclusionOf(transparency, position, newest.size, newest);
  const head = verifyCheckpoint({ checkpoint: newest.note, publicKey: newest.publicKey });
  const pathValid =
    head.valid &&
    verifyInclusion({
      leafHash: leafOfEnvelope(await transparency.envelope(position)),
      index: position - 1n,
      size: head.size,
      root: head.root,
      path: inclusion.path.map((hash) => hexToBytes(hash)),
    });
  return { inclusion, pathValid };
};
