import type { Decider } from '../decider.ts';
import type { SubjectCommand } from './commands.ts';
import { decideSubject } from './decide.ts';
import type { SubjectEvent } from './events.ts';
import { evolveSubject, type Subject } from './fold.ts';

export const subjectDecider: Decider<Subject | null, SubjectCommand, SubjectEvent> = {
  initialState: null,
  evolve: evolveSubject,
  decide: decideSubject,
};
