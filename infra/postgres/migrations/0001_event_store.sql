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
-- A part is a run of events for one stream; streams of a batch are distinct. `part_*` arrays have one element per part,
-- `event_*` texts one line per event (canonical JSON and type names hold no line feed), parts in order.
-- All clean: the events are inserted right after the head, and `first_position` is the position of the first.
-- Otherwise nothing is written, `first_position` is null and `actual_revisions` tells each part's stream revision.
--
-- The advisory lock is held from the check to the end of the transaction: writers take turns, so position order is
-- commit order, a rollback leaves no gap, and nobody can move a checked stream. A refused batch writes no WAL.
create function log.append(
  part_streams text[],
  part_expected bigint[],
  part_counts integer[],
  part_workflow_ids text[],
  part_run_ids text[],
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
  select array_agg(coalesce(newest.revision, -1) order by part.n) into actual_revisions
    from unnest(part_streams) with ordinality part(stream, n)
    left join lateral (
      select e.revision from log.events e where e.stream = part.stream order by e.revision desc limit 1
    ) newest on true;
  if actual_revisions <> part_expected then
    return;
  end if;

  select h.position, h.hash into head_position, chain from log.head h;
  foreach envelope in array envelopes loop
    chain := sha256(chain || sha256('\x00'::bytea || convert_to(envelope, 'UTF8')));
    hashes := array_append(hashes, chain);
  end loop;

  recorded := clock_timestamp();
  insert into log.events (position, stream, revision, type, envelope, hash, recorded_at, workflow_id, run_id)
    select head_position + event.n, part.stream, part.expected + event.n - part.before, event.type, event.envelope,
           event.hash, recorded, part.workflow_id, part.run_id
      from unnest(string_to_array(event_types, E'\n'), envelopes, hashes)
             with ordinality event(type, envelope, hash, n)
      join (
        select p.*, sum(p.size) over (order by p.n) - p.size as before
          from unnest(part_streams, part_expected, part_counts, part_workflow_ids, part_run_ids)
                 with ordinality p(stream, expected, size, workflow_id, run_id, n)
      ) part on event.n > part.before and event.n <= part.before + part.size
     order by event.n;
  update log.head h set position = head_position + cardinality(hashes), hash = chain;
  first_position := head_position + 1;
end
$$;
