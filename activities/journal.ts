import type { Journal, JournalReply, JournalRequest } from '../domain/ports/journal.ts';

/** The one way a lifecycle writes: its events and the money that follows them. */
export const createJournalActivities = ({ journal }: { readonly journal: Journal }) => ({
  'journal.append': (request: JournalRequest): Promise<JournalReply> => journal.append(request),
});
