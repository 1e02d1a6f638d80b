create schema if not exists engine;

-- When each provider was last heard, and the presence last told to its stream. Single beats are not events (settled 15).
create table engine.heartbeats (
  provider_id text primary key,
  last_seen timestamptz not null,
  presence text check (presence in ('up', 'suspected', 'lost'))
);

-- Which engine peer holds a connection to which node.
create table engine.node_routes (
  provider_id text not null,
  peer_id text not null,
  engine_peer_id text not null,
  connected_at timestamptz not null,
  primary key (provider_id, engine_peer_id)
);
