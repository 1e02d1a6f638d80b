-- A writer that does not wait for its own appends decides behind events that may never come to stand: it names the one that
-- it decided behind, so that another's in the same place is a conflict.
drop function log.append(
  text[], bigint[], text[], text[], integer[], bigint[], text, text, integer[], text[], bigint[], bigint[], integer[]
);

-- Appends the events of one batch, or nothing.
--
-- A part is a run of events for one stream. `part_*` arrays have one element per part; its expected revision is null when
-- it continues an earlier part of the batch. `part_previous` is the leaf (hex) of the event that has to stand there, or null:
-- where another stands, the stream's actual revision is told as -2. `event_*` have one element per event, in the order of the log: the number of
-- its part, its revision, and its type and envelope as lines of text (type names and canonical JSON hold no line feed;
-- splitting costs less than parsing a quoted array). `command_*` have one element per command that a part decides: the
-- number of the part, the command, the first and the last revision it causes, and how many events of the batch its step
-- ends after.
-- Every part as expected, and every command new to its stream: the events follow the head, and `first_position` is the
-- position of the first. Otherwise nothing is written, `first_position` is null, `actual_revisions` has the revision of
-- each part's stream and `decided` the numbers of the commands that were decided before.
--
-- The advisory lock is held from the check to the end of the transaction, so writers take turns: position order is commit
-- order, a rollback leaves no gap, and nobody moves a stream that was checked. A refused batch writes nothing to the disk.
create function log.append(
  part_streams text[],
  part_expected bigint[],
  part_previous text[],
  part_workflow_ids text[],
  part_run_ids text[],
  event_parts integer[],
  event_revisions bigint[],
  event_types text,
  event_envelopes text,
  command_parts integer[],
  command_ids text[],
  command_firsts bigint[],
  command_lasts bigint[],
  command_ends integer[],
  out first_position bigint,
  out actual_revisions bigint[],
  out decided integer[]
) language plpgsql as $$
declare
  head_position bigint;
  chain bytea;
  envelope text;
  envelopes text[] := string_to_array(event_envelopes, E'\n');
  hashes bytea[] := '{}';
  recorded timestamptz;
  has_commands boolean := cardinality(command_ids) > 0;
begin
  perform pg_advisory_xact_lock(hashtext('log.append'));
  select array_agg(
           case
             when part.expected is null then null
             when part.previous <> encode(sha256('\x00'::bytea || convert_to(newest.envelope, 'UTF8')), 'hex') then -2
             else coalesce(newest.revision, -1)
           end order by part.n)
    into actual_revisions
    from unnest(part_streams, part_expected, part_previous) with ordinality part(stream, expected, previous, n)
    left join lateral (
      select e.revision, e.envelope from log.events e where e.stream = part.stream order by e.revision desc limit 1
    ) newest on part.expected is not null;
  if has_commands then
    select array_agg(command.n)
      into decided
      from unnest(command_parts, command_ids) with ordinality command(part, id, n)
      join log.commands known on known.stream = part_streams[command.part] and known.command_id = command.id;
  end if;
  if decided is not null or actual_revisions <> part_expected then
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
  if has_commands then
    insert into log.commands (stream, command_id, first_revision, last_revision, position)
      select part_streams[command.part], command.id, command.first, command.last, head_position + command.ends
        from unnest(command_parts, command_ids, command_firsts, command_lasts, command_ends)
               command(part, id, first, last, ends);
  end if;
  update log.head h set position = head_position + cardinality(hashes), hash = chain;
  first_position := head_position + 1;
end
$$;
