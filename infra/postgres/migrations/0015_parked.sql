-- No event stops a read model for everybody. What the fold or the tables could not take is parked by its key, with the
-- event that did it; later events of the key wait with it, all others go on. A build that stood still goes on, too.
alter table fog.builds
  drop column failed_position,
  drop column failed_type,
  drop column failed_error,
  drop column failed_version,
  -- Counts what was parked and released: who writes with an older count has not seen all of it.
  add column parkings integer not null default 0;

create table fog.parked (
  projection text not null,
  build      integer not null,
  -- What the projection folds by: a stream, or a part of one.
  key        text not null,
  stream     text not null,
  -- The event that could not be taken.
  position   bigint not null,
  type       text not null,
  error      text not null,
  parked_at  timestamptz not null default now(),
  primary key (projection, build, key),
  foreign key (projection, build) references fog.builds on delete cascade
);
