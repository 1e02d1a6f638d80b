-- The workers of the engine: as which peer each serves, where nodes dial it, and until when it is known to live. A row
-- stays when its worker goes: nodes that knew it alone are not to blame. `stopped_at` says that it left in order. Times are
-- the database's own: the workers' clocks need not agree.
create table engine.workers (
  index integer primary key check (index >= 0),
  -- The libp2p peer that nodes know it by; one key serves under one index alone.
  peer_id text not null unique,
  -- Multiaddr that ends in the peer id.
  address text not null,
  -- Of this life of the worker; what an earlier one left behind does not count.
  instance uuid not null,
  started_at timestamptz not null,
  -- Since when it has never been late to say that it lives: whoever could not be heard before is not to blame.
  awake_since timestamptz not null,
  alive_until timestamptz not null,
  stopped_at timestamptz
);

-- The life of the engine peer in which the connection is; null, or of an earlier life, when there is none now. The row
-- stays: it says that the node knows this engine.
alter table engine.node_routes add column instance uuid;
