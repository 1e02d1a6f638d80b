-- The transparency log over log.events: a Merkle tree (RFC 6962) whose leaf at index position - 1 is the leaf hash of the
-- event, kept as tiles of height 8 (c2sp.org/tlog-tiles).
--
-- Tile `index` of tile level l holds, in order, the 32-byte hashes of the complete subtrees of 256^l leaves numbered from
-- 256 * index on: at most 256 of them. It only ever grows at its end; a full one never changes.
create table log.tiles (
  level smallint not null check (level between 0 and 7),
  index bigint not null check (index >= 0),
  hashes bytea not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
  primary key (level, index)
);
-- Hashes do not compress, and parts of a value are read without the rest only where it is not compressed.
alter table log.tiles alter column hashes set storage external;

-- Signed tree heads. The newest one says how far the tiles go.
create table log.checkpoints (
  size bigint primary key check (size > 0),
  root bytea not null check (length(root) = 32),
  -- Signed note (c2sp.org/tlog-checkpoint).
  note text not null,
  -- Key under which it verifies: name+id+base64.
  public_key text not null,
  signed_at timestamptz not null default now()
);
