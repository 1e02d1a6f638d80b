import type { Member } from '../client/schema.ts';

/** What the attestations of all members together allow to say; null while one is missing. */
export const labelOf = (members: readonly Pick<Member, 'label'>[]): Member['label'] => {
  if (members.length === 0 || members.some(({ label }) => label === null)) return null;
  return members.some(({ label }) => label === 'simulated') ? 'simulated' : 'hardware';
};

/** The label as a person should read it. */
export const labelText = (label: Member['label']): string => {
  switch (label) {
    case 'hardware':
      return 'hardware';
    case 'simulated':
      return 'simulated (attested under the simulated root: no hardware protects the work)';
    case null:
      return 'not attested';
  }
};
