-- Places that a principal may take a bounded number of at once: open auctions, enclaves without a job. A row is a claim;
-- whether its stream still needs the place is for the log to say.
create table engine.places (
  kind text not null,
  principal text not null,
  stream text not null,
  claimed_at timestamptz not null default now(),
  primary key (kind, principal, stream)
);
