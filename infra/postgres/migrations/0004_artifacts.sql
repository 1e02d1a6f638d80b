-- Content-addressed bytes and who may read them.
create schema if not exists engine;

create table engine.artifacts (
  sha256     text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  bytes      bytea not null,
  size       integer not null check (size = octet_length(bytes)),
  media_type text not null,
  owner      text not null,
  signature  text not null,
  created_at timestamptz not null
);
-- Already compressed or tiny as a rule: compressing again costs more than it saves.
alter table engine.artifacts alter column bytes set storage external;

create table engine.artifact_readers (
  sha256 text not null references engine.artifacts,
  reader text not null,
  primary key (sha256, reader)
);
