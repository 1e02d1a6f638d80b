-- What runs in place of a module, by version of metering: countersigned by the engine when the module was stored.
create table engine.metered_modules (
  sha256         text not null references engine.artifacts,
  version        integer not null check (version > 0),
  metered_sha256 text not null check (metered_sha256 ~ '^[0-9a-f]{64}$'),
  signature      text not null,
  primary key (sha256, version)
);
