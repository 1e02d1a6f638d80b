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
