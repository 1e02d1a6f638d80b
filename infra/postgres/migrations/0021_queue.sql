-- Jobs that wait for room, and those that were let out and are not over: what the room that is left is counted by. A row is a
-- claim, written again by its job's own effect; whether its job still needs it is for the log to say.
create table engine.queue (
  job text primary key,
  submitter text not null,
  -- What each of its members takes of a node.
  needs jsonb not null,
  auction_seconds integer not null,
  submitted_at timestamptz not null,
  attempt integer not null,
  not_before timestamptz not null,
  admitted_at timestamptz,
  -- Others were under way beside its present attempt.
  crowded boolean not null default false
);

-- What a node says it has for runs; null before one said anything.
alter table engine.heartbeats add column capacity jsonb;
