-- The log. `envelope` is the exact RFC 8785 text that was hashed and the only copy of an event's content; stream,
-- revision and type repeat parts of it for the indexes and are checked against it by the audit.
create schema log;

create table log.events (
  position bigint primary key,
  stream text not null collate "C",
  revision bigint not null,
  type text not null collate "C",
  envelope text not null,
  hash bytea not null,
  recorded_at timestamptz not null,
  workflow_id text,
  run_id text,
  constraint events_stream_revision unique (stream, revision)
);

-- One row: the newest position and the chain hash there. Written by log.append alone, in the transaction of the events.
create table log.head (
  only_row boolean primary key default true check (only_row),
  position bigint not null,
  hash bytea not null
);
insert into log.head (position, hash) values (0, decode(repeat('00', 32), 'hex'));

create table log.snapshots (
  stream text primary key collate "C",
  revision bigint not null,
  version integer not null,
  state text not null,
  saved_at timestamptz not null default now()
);

-- Appends the events of one batch, or nothing.
--
-- A part is a run of events for one stream. `part_*` arrays have one element per part; its expected revision is null when
-- it continues an earlier part of the batch. `event_*` have one element per event, in the order of the log: the number of
-- its part, its revision, and its type and envelope as lines of text (type names and canonical JSON hold no line feed;
-- splitting costs less than parsing a quoted array).
-- Every part as expected: the events follow the head, and `first_position` is the position of the first.
-- Otherwise nothing is written, `first_position` is null and `actual_revisions` has the revision of each part's stream.
--
-- The advisory lock is held from the check to the end of the transaction, so writers take turns: position order is commit
-- order, a rollback leaves no gap, and nobody moves a stream that was checked. A refused batch writes nothing to the disk.
create function log.append(
  part_streams text[],
  part_expected bigint[],
  part_workflow_ids text[],
  part_run_ids text[],
  event_parts integer[],
  event_revisions bigint[],
  event_types text,
  event_envelopes text,
  out first_position bigint,
  out actual_revisions bigint[]
) language plpgsql as $$
declare
  head_position bigint;
  chain bytea;
  envelope text;
  envelopes text[] := string_to_array(event_envelopes, E'\n');
  hashes bytea[] := '{}';
  recorded timestamptz;
begin
  perform pg_advisory_xact_lock(hashtext('log.append'));
  select array_agg(case when part.expected is not null then coalesce(newest.revision, -1) end order by part.n)
    into actual_revisions
    from unnest(part_streams, part_expected) with ordinality part(stream, expected, n)
    left join lateral (
      select e.revision from log.events e where e.stream = part.stream order by e.revision desc limit 1
    ) newest on part.expected is not null;
  if actual_revisions <> part_expected then
    return;
  end if;

  select h.position, h.hash into strict head_position, chain from log.head h;
  foreach envelope in array envelopes loop
    chain := sha256(chain || sha256('\x00'::bytea || convert_to(envelope, 'UTF8')));
    hashes := array_append(hashes, chain);
  end loop;

  recorded := clock_timestamp();
  insert into log.events (position, stream, revision, type, envelope, hash, recorded_at, workflow_id, run_id)
    select head_position + event.n, part_streams[event.part], event.revision, event.type, event.envelope, event.hash,
           recorded, part_workflow_ids[event.part], part_run_ids[event.part]
      from unnest(event_parts, event_revisions, string_to_array(event_types, E'\n'), envelopes, hashes)
             with ordinality event(part, revision, type, envelope, hash, n);
  update log.head h set position = head_position + cardinality(hashes), hash = chain;
  first_position := head_position + 1;
end
$$;
