-- What observers saw and signed, until a proof of availability takes it into the log (settled 15 for beats holds for
-- single rounds as well: they are no events). Terms are known by their hash.
create table engine.observed_terms (
  terms_hash text primary key,
  window_id text not null,
  provider_id text not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  terms jsonb not null
);
create index on engine.observed_terms (provider_id, starts_at);
create index on engine.observed_terms (ends_at);

-- The head of the log that a round was drawn from, and the answer that its receipts rest on.
create table engine.observed_rounds (
  terms_hash text not null references engine.observed_terms on delete cascade,
  round integer not null,
  beacon jsonb not null,
  beacon_source text not null check (beacon_source in ('anchored', 'signed')),
  answer jsonb,
  primary key (terms_hash, round)
);

create table engine.observations (
  terms_hash text not null,
  round integer not null,
  observer text not null,
  finding text not null,
  receipt jsonb not null,
  received_at timestamptz not null,
  primary key (terms_hash, round, observer),
  foreign key (terms_hash, round) references engine.observed_rounds on delete cascade
);
