-- Read models. A build is one set of tables of a projection, named `<table>_b<build>`; the view `fog.<table>` shows the
-- live one. `position` moves in the transaction that writes the rows.
create schema if not exists fog;

create table fog.builds (
  projection      text not null,
  build           integer not null,
  -- Version of the fold that fills it.
  version         integer not null,
  state           text not null check (state in ('building', 'live')),
  -- Base names of its tables.
  tables          text[] not null,
  -- Every event up to here is in the rows.
  position        bigint not null default 0,
  -- The event the fold could not take. The build stands still until an operator clears these.
  failed_position bigint,
  failed_type     text,
  failed_error    text,
  -- Version of the fold that met it: a newer fold may try again.
  failed_version  integer,
  updated_at      timestamptz not null default now(),
  primary key (projection, build),
  check ((failed_position is null) = (failed_error is null))
);
create unique index builds_live on fog.builds (projection) where state = 'live';
