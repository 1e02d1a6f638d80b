import { type LedgerEntry, transfer } from '../ledger/entry.ts';
import { account } from '../ledger/events.ts';
import { subtract, ZERO } from '../money.ts';
import type { Enclave } from './enclave.ts';
import type { EnclaveEvent } from './events.ts';
import { chargeFor } from './rent.ts';

/**
 * Money that follows an enclave's events: those without a job are rented. The time from its attestation to its end, or
 * from its request where its creator ended it before, goes to the node's owner, the rest back to the creator; of one that
 * failed everything goes back. `enclave` is the state
 * before the event.
 */
export const movements = (enclave: Enclave, event: EnclaveEvent, cause: string): LedgerEntry[] => {
  switch (event.type) {
    case 'enclave.requested': {
      const { rent, submitter, enclaveId } = event;
      return rent
        ? [transfer('hold', account.available(submitter), account.rent(enclaveId), rent.held, cause)]
        : [];
    }
    case 'enclave.destroyed': {
      const { rent, rented, enclaveId, submitter, owner } = enclave;
      if (!rent) return [];
      const charge = rented?.to === undefined ? ZERO : chargeFor(rent, rented.from, rented.to);
      const held = account.rent(enclaveId);
      return [
        transfer('payment', held, account.available(owner), charge, cause),
        transfer('release', held, account.available(submitter), subtract(rent.held, charge), cause),
      ];
    }
    default:
      return [];
  }
};
