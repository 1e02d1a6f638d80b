-- Bytes of artefacts in chunks, so that no process holds a whole one to store it or to send it on.
create table engine.contents (
  id       uuid primary key default gen_random_uuid(),
  begun_at timestamptz not null default now()
);
create table engine.content_chunks (
  content uuid not null references engine.contents on delete cascade,
  number  integer not null check (number >= 0),
  bytes   bytea not null,
  primary key (content, number)
);
-- Already compressed or tiny as a rule: compressing again costs more than it saves.
alter table engine.content_chunks alter column bytes set storage external;

alter table engine.artifacts add column content uuid;
update engine.artifacts set content = gen_random_uuid();
insert into engine.contents (id) select content from engine.artifacts;
insert into engine.content_chunks (content, number, bytes)
  select content, number, substring(bytes from number * 1048576 + 1 for 1048576)
    from engine.artifacts, generate_series(0, (size - 1) / 1048576) as number
   where size > 0;
alter table engine.artifacts
  alter column content set not null,
  add foreign key (content) references engine.contents;
create unique index on engine.artifacts (content);

-- Who keeps an artefact, each with a countersignature of its own: nobody learns of another.
create table engine.artifact_references (
  sha256     text not null references engine.artifacts,
  owner      text not null,
  media_type text not null,
  -- Missing where the artefact was stored by somebody else before each had one; made when it is read.
  signature  text,
  created_at timestamptz not null,
  -- Whether its bytes count against what the owner may keep.
  uploaded   boolean not null,
  -- A job or an enclave uses it until then; it is not deleted meanwhile.
  used_until timestamptz,
  -- Null: kept for good.
  expires_at timestamptz,
  primary key (sha256, owner)
);
create index on engine.artifact_references (owner) where uploaded;
create index on engine.artifact_references (expires_at) where expires_at is not null;
insert into engine.artifact_references (sha256, owner, media_type, signature, created_at, uploaded)
  select r.sha256, r.reader, a.media_type, case when r.reader = a.owner then a.signature end, a.created_at, false
    from engine.artifact_readers r join engine.artifacts a using (sha256);
drop table engine.artifact_readers;
alter table engine.artifacts
  drop column bytes, drop column media_type, drop column owner, drop column signature;

-- The record of how a module is metered goes with the module.
alter table engine.metered_modules
  drop constraint metered_modules_sha256_fkey,
  add foreign key (sha256) references engine.artifacts on delete cascade;

-- What an enclave's node stored in the submitter's name: one output, whatever the node.
create table engine.enclave_outputs (
  enclave_id text primary key,
  sha256     text not null
);
