import type { Job } from '../client/schema.ts';
import { hasEnded } from '../job/run-job.ts';
import { labelOf, labelText } from './label.ts';
import { columns, counted, shown } from './text.ts';

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

const secondsBetween = (from: string, to: string): string =>
  ((Date.parse(to) - Date.parse(from)) / 1_000).toFixed(3);

/** Headline: what became of the job, and in what time. */
export const headline = (job: Job): string => {
  const last = job.timeline.at(-1);
  const took = last ? ` after ${secondsBetween(job.submitted_at, last.at)} s` : '';
  return `Job ${job.job_id}: ${job.state}${hasEnded(job) ? took : ''}`;
};

/** The story of the job, a line per event, as the log and the Temporal UI tell it. */
export const timelineLines = ({ job_id, timeline, submitted_at }: Job): string[] => [
  `Timeline of workflow ${job_id}`,
  ...indented(
    columns(
      timeline.map(({ at, event, position, provider_id }) => [
        at,
        `+${secondsBetween(submitted_at, at)} s`,
        `@${position}`,
        event,
        provider_id ?? '',
      ]),
    ),
  ),
];

const memberLines = ({ members, failed_members }: Job): string[] => [
  ...(members.length === 0
    ? []
    : [
        'Members',
        ...indented(
          columns(
            members.map((member) => [
              member.node_id,
              member.infrastructure_type,
              shown(member.region),
              member.label ?? 'not attested',
              member.paid_micro === null ? 'not paid yet' : `paid ${member.paid_micro} micro-units`,
              member.owner,
            ]),
          ),
        ),
      ]),
  ...(failed_members.length === 0
    ? []
    : [
        'Members lost',
        ...indented(
          columns(
            failed_members.map(({ node_id, fault, slashed, message }) => [
              node_id,
              fault,
              slashed ? 'slashed' : 'not slashed',
              shown(message),
            ]),
          ),
        ),
      ]),
];

const priceText = ({ price_micro, settlement }: Job): string => {
  if (price_micro === null) return 'not settled yet';
  const parts = [`${price_micro} micro-units`];
  if (settlement && settlement.refund !== '0') parts.push(`${settlement.refund} of the escrow refunded`);
  if (settlement && settlement.sla_credit !== '0')
    parts.push(`${settlement.sla_credit} credited for the SLA`);
  return parts.join(', ');
};

const slaText = ({ sla }: Job): string => {
  if (!sla) return 'not judged';
  const credit = sla.credit_percent > 0 ? `, ${sla.credit_percent} % of the fee credited` : '';
  return `${sla.verdict} (${counted(sla.samples, 'heartbeat sample')})${credit}`;
};

/** Result, price, members, proof and label. */
export const resultLines = (job: Job): string[] => [
  ...(job.reason === null ? [] : [`Reason     ${job.reason}: ${shown(job.message ?? '')}`]),
  `Exit code  ${job.exit_code ?? 'none'}`,
  `Output     ${job.output_sha256 === null ? 'none' : `sha256 ${job.output_sha256}`}`,
  `Price      ${priceText(job)}`,
  `Proof      ${job.proof_id ?? 'none'}`,
  `SLA        ${slaText(job)}`,
  `Platform   ${labelText(labelOf(job.members))}`,
  ...memberLines(job),
];
