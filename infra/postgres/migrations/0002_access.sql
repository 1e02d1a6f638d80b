-- Who may call, and the secrets of the engine. Credentials are kept as hashes, keys wrapped by the master key.
create schema if not exists engine;

create table engine.principals (
  principal_id text primary key,
  roles        text[] not null,
  premium      boolean not null default false,
  disabled_at  timestamptz,
  created_at   timestamptz not null default now()
);

create table engine.credentials (
  -- Key id of an API key, or the hex public key itself.
  credential_id text primary key,
  principal_id  text not null references engine.principals,
  kind          text not null check (kind in ('api-key', 'public-key')),
  -- SHA-256 of the API key's secret; null for a public key, which is no secret.
  secret_hash   bytea check ((kind = 'api-key') = (secret_hash is not null)),
  revoked_at    timestamptz,
  created_at    timestamptz not null default now()
);
create index credentials_principal on engine.credentials (principal_id);

-- One row per unanswered sign-in challenge; answering deletes it, so it works once.
create table engine.challenges (
  challenge_hash bytea primary key,
  public_key     text not null,
  role           text,
  expires_at     timestamptz not null
);
create index challenges_expiry on engine.challenges (expires_at);

-- Attestation nonces that were used; a nonce works once.
create table engine.nonces (
  nonce      text primary key,
  purpose    text not null,
  used_at    timestamptz not null default now()
);

create table engine.idempotency_keys (
  principal_id text not null,
  key          text not null,
  -- SHA-256 of method, path and body: what the key was first used for.
  request_hash bytea not null,
  -- The process that is answering; null once answered or given up.
  holder       bigint,
  status       integer,
  media_type   text,
  body         text,
  created_at   timestamptz not null default now(),
  primary key (principal_id, key)
);
create index idempotency_keys_created on engine.idempotency_keys (created_at);

-- A destroyed key leaves its row behind, so that nothing can create it again.
create table engine.sealing_keys (
  key_id       text primary key,
  wrapped      bytea,
  created_at   timestamptz not null default now(),
  destroyed_at timestamptz,
  check ((wrapped is null) = (destroyed_at is not null))
);
