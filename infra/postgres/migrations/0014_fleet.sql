-- Several processes of each kind, which have to agree.

-- API processes remember who may call. A change of what that rests on is told to all of them with the commit that makes
-- it so; what is new was remembered by nobody. Changes are rare, so the lock that a notification takes bothers no one.
create function engine.announce_principal() returns trigger language plpgsql as $$
begin
  perform pg_notify('principals_changed', old.principal_id);
  return null;
end
$$;
create trigger announce after update or delete on engine.principals
  for each row execute function engine.announce_principal();
create trigger announce after update or delete on engine.credentials
  for each row execute function engine.announce_principal();

-- Who runs. A process renews its row every second and takes it along when it leaves on purpose; what stays behind without
-- being renewed has died.
create table engine.processes (
  kind       text not null check (kind in ('api', 'worker', 'projector')),
  -- What tells it from others of its kind: its number, or the host it runs on.
  instance   text not null,
  -- One run of the program: a successor of the same name has another.
  run        uuid not null,
  started_at timestamptz not null,
  alive_at   timestamptz not null,
  primary key (kind, instance)
);

-- What callers have taken of their request limits, in windows that begin with a caller's first request. API processes take
-- blocks and spend them by themselves. Counts of a minute need not outlast a crash of the server.
create unlogged table engine.rate_windows (
  key     text primary key,
  taken   integer not null,
  ends_at timestamptz not null
) with (fillfactor = 70);
