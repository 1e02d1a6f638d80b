-- Tells the listeners of `log_appended` how far the log goes, with the commit that makes it so. Committing a notification
-- takes a lock of the whole server; appends take turns already, so it makes nobody wait who did not.
create function log.announce() returns trigger language plpgsql as $$
begin
  perform pg_notify('log_appended', new.position::text);
  return null;
end
$$;

create trigger announce after update on log.head for each row execute function log.announce();
