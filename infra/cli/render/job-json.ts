import type { Job } from '../client/schema.ts';

/** What `--json` prints of a job: this and nothing else. */
export const jobJson = (job: Job) => ({
  job_id: job.job_id,
  state: job.state,
  exit_code: job.exit_code,
  output_sha256: job.output_sha256,
  price_micro: job.price_micro,
  members: job.members.map(({ node_id, owner, infrastructure_type, paid_micro }) => ({
    node_id,
    owner,
    infrastructure_type,
    paid_micro,
  })),
  proof_id: job.proof_id,
  position: job.position,
});
