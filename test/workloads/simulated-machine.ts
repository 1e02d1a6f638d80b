import {
  chipIdFor,
  createSimulatedRoot,
  issueChip,
  simulatedPlatform,
  trustedRootOf,
} from '../../infra/tee/index.ts';

/** A simulated root and one machine under it, as set-up makes them. */
export const simulatedMachine = (now: string, name = 'machine') => {
  const root = createSimulatedRoot({ now });
  const chip = issueChip(root, { chipId: chipIdFor(name), now });
  return { root, chip, platform: simulatedPlatform(chip), roots: [trustedRootOf(root.ark)] };
};
