import { z } from 'zod';
import type { Transport } from './transport.ts';

const changed = z.object({ subject_id: z.string(), roles: z.array(z.string()), position: z.string() });
const keyed = changed.extend({ key_id: z.string(), api_key: z.string().nullable() });
const subject = z.object({
  subject_id: z.string(),
  roles: z.array(z.string()),
  keys: z.array(
    z.object({
      key_id: z.string(),
      kind: z.string(),
      created_at: z.string(),
      revoked_at: z.string().nullable(),
    }),
  ),
});
const page = z.object({ items: z.array(subject), next_cursor: z.string().nullable() });

export type ChangedSubject = z.output<typeof changed>;
export type KeyedSubject = z.output<typeof keyed>;
export type ListedSubject = z.output<typeof subject>;

/** The part of the REST API that administers principals. Every method throws CliError. */
export interface SubjectClient {
  create(request: { readonly roles: readonly string[]; readonly public_key?: string }): Promise<KeyedSubject>;
  addKey(subjectId: string): Promise<KeyedSubject>;
  changeRoles(subjectId: string, roles: readonly string[]): Promise<ChangedSubject>;
  revokeKey(subjectId: string, keyId: string): Promise<ChangedSubject>;
  /** All of them, page by page. */
  list(): AsyncIterable<ListedSubject>;
}

const PAGE_SIZE = '500';
const JSON_BODY = { 'content-type': 'application/json' };

export const createSubjectClient = (transport: Transport): SubjectClient => {
  const pathOf = (subjectId: string, rest: string) => `/v1/subjects/${encodeURIComponent(subjectId)}/${rest}`;

  return {
    create: (request) =>
      transport.json(
        {
          method: 'POST',
          path: '/v1/subjects',
          headers: JSON_BODY,
          body: JSON.stringify(request),
          once: true,
        },
        keyed,
      ),
    addKey: (subjectId) =>
      transport.json({ method: 'POST', path: pathOf(subjectId, 'keys'), once: true }, keyed),
    changeRoles: (subjectId, roles) =>
      transport.json(
        {
          method: 'PUT',
          path: pathOf(subjectId, 'roles'),
          headers: JSON_BODY,
          body: JSON.stringify({ roles }),
        },
        changed,
      ),
    revokeKey: (subjectId, keyId) =>
      transport.json(
        { method: 'DELETE', path: pathOf(subjectId, `keys/${encodeURIComponent(keyId)}`) },
        changed,
      ),
    list: async function* () {
      let cursor: string | null = null;
      do {
        const query = new URLSearchParams({ limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) });
        const answer: z.output<typeof page> = await transport.json(
          { method: 'GET', path: `/v1/subjects?${query.toString()}` },
          page,
        );
        yield* answer.items;
        cursor = answer.next_cursor;
      } while (cursor !== null);
    },
  };
};
