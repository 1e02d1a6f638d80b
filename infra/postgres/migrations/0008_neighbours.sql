-- Where other nodes reach a node, as it said when it joined: multiaddrs that end in its peer id.
alter table engine.node_routes add column addresses jsonb not null default '[]';

-- The nodes that a node is connected to, as its newest beat said: provider ids; null before one said anything.
alter table engine.heartbeats
  add column neighbours jsonb,
  add column neighbours_at timestamptz;
