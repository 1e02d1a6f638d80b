import { z } from 'zod';
import { reject } from '../../../domain/errors.ts';
import { diversityOf, getQuorum, listActiveQuorums } from '../../../projections/quorums/queries.ts';
import type { QuorumRow } from '../../../projections/quorums/table.ts';
import { defineRoute, respond } from '../../define-route.ts';
import type { RouteDependencies } from '../../dependencies.ts';
import { idOf, instant, micro, position } from '../../fields.ts';
import { afterQuery, readAfter } from '../../read-after.ts';
import { hasRole } from '../../roles.ts';
import { violationSchema } from './validate.ts';

const LISTED = 100;

const quorumSchema = z
  .object({
    quorum_id: z.string(),
    job_id: z.string(),
    tier: z.string(),
    epoch: z.int(),
    state: z.string(),
    members: z.array(
      z.object({
        provider_id: z.string(),
        owner: z.string(),
        infrastructure_type: z.string(),
        asn: z.int(),
        region: z.string(),
        payment: micro,
      }),
    ),
    lost: z.array(
      z.object({ provider_id: z.string(), owner: z.string(), reason: z.string(), epoch: z.int() }),
    ),
    predicted: z.number(),
    target: z.number(),
    required_up: z.int(),
    diversity: z.object({ owner: z.int(), type: z.int(), asn: z.int(), region: z.int() }),
    violations: z.array(violationSchema),
    reason: z.string().optional(),
    formed_at: instant,
    position,
  })
  .meta({ id: 'Quorum' });

const shown = (quorum: QuorumRow): z.input<typeof quorumSchema> => ({
  quorum_id: quorum.quorumId,
  job_id: quorum.jobId,
  tier: quorum.tier,
  epoch: quorum.epoch,
  state: quorum.state,
  members: quorum.members.map(({ providerId, owner, infrastructureType, asn, region, payment }) => ({
    provider_id: providerId,
    owner,
    infrastructure_type: infrastructureType,
    asn,
    region,
    payment,
  })),
  lost: quorum.lost.map(({ providerId, owner, reason, epoch }) => ({
    provider_id: providerId,
    owner,
    reason,
    epoch,
  })),
  predicted: quorum.predictedAvailability,
  target: quorum.target,
  required_up: quorum.requiredUp,
  diversity: diversityOf(quorum),
  violations: quorum.violations.map((violation) => ({ ...violation, members: [...violation.members] })),
  ...(quorum.reason === null ? {} : { reason: quorum.reason }),
  formed_at: quorum.formedAt,
  position: quorum.position,
});

/** One quorum by id, for its submitter, its members, operators and auditors; without an id those that serve now. */
export const getQuorumStatus = ({
  db,
  checkpoints,
  ownersOf,
}: Pick<RouteDependencies, 'db' | 'checkpoints' | 'ownersOf'>) =>
  defineRoute(
    {
      method: 'GET',
      path: '/v1/fog/quorum/status',
      summary: 'Health of quorums',
      tag: 'quorum',
      access: 'any',
      query: z.strictObject({ quorum_id: idOf('quorum').optional(), ...afterQuery }),
      responses: { 200: z.union([quorumSchema, z.object({ quorums: z.array(quorumSchema) })]) },
      errors: ['RESOURCE_NOT_FOUND'],
    },
    async ({ principal }, { query }) => {
      const ready = await readAfter(checkpoints, ['quorums'], query.after);
      if (!ready.ok) return ready;
      const office = hasRole(principal, 'operator', 'auditor');
      if (query.quorum_id === undefined) {
        const participant = office ? {} : { participant: principal.id };
        const quorums = await listActiveQuorums(db, { ...participant, limit: LISTED });
        return respond(200, { quorums: quorums.map(shown) });
      }
      const quorum = await getQuorum(db, query.quorum_id);
      const member = quorum?.members.some(({ owner }) => owner === principal.id);
      if (!quorum || !(office || member || (await ownersOf(quorum.jobId))?.has(principal.id))) {
        return reject('RESOURCE_NOT_FOUND', `no quorum ${query.quorum_id}`, [
          { field: 'quorum_id', rule: 'a quorum of yours' },
        ]);
      }
      return respond(200, shown(quorum));
    },
  );
