import { chipDecider } from '../../domain/chip/decide.ts';
import { chipStream } from '../../domain/chip/events.ts';
import type { PlatformLabel } from '../../domain/enclave/events.ts';
import type { EventStore } from '../../domain/ports/event-store.ts';
import { createCommandHandler } from '../journal/handle-command.ts';
import type { Bookkeeper } from '../journal/journal.ts';
import type { AttestationJudge } from './attestation-judge.ts';

export interface Chips {
  /** Whether the chip (hex id) serves this provider; from now on, where it served nobody. Decided on the chip's stream. */
  claim(label: PlatformLabel, chipId: string, providerId: string): Promise<boolean>;
}

export interface ChipsDeps {
  readonly store: EventStore;
  readonly books: Pick<Bookkeeper, 'step'>;
  readonly now: () => string;
}

export const createChips = ({ store, books, now }: ChipsDeps): Chips => {
  const handle = createCommandHandler({ store, append: books.step, now });
  return {
    async claim(label, chipId, providerId) {
      const stream = chipStream(label, chipId);
      const command = { type: 'claim', label, chipId, providerId } as const;
      // A chip is never given to another, so the first answer to a provider is its last.
      const caller = { actor: 'engine', commandId: `${stream}/claim/${providerId}` };
      const claimed = await handle(chipDecider, stream, command, caller);
      if (!claimed.ok) throw new Error(claimed.message);
      return claimed.state?.providerId === providerId;
    },
  };
};

const IN_USE = { step: 'chip-owner', ok: false, code: 'CHIP_IN_USE' } as const;

/** A judge who accepts of a provider, host or enclave, only reports of chips that serve it (settled 42). */
export const boundToChips = (judge: AttestationJudge, chips: Chips): AttestationJudge => ({
  async judge(subject, nonce, evidence, options) {
    const judgement = await judge.judge(subject, nonce, evidence, options);
    if (!judgement.ok) return judgement;
    const { label, chipId, steps } = judgement.report;
    if (await chips.claim(label, chipId, subject.providerId)) return judgement;
    return {
      ok: false,
      message: `${IN_USE.step}: ${IN_USE.code}: this chip serves another provider`,
      steps: [...steps, IN_USE],
    };
  },
});
