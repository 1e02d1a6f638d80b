-- Anchors: transactions on another chain that hold checkpoints of the transparency log. What is here is about the log and
-- so not in it: an event for every anchor would be a leaf that wants an anchor of its own.

-- A head that was chosen to be anchored.
--   pending     chosen, nothing signed
--   sent        a transaction is signed and stored; it may or may not have reached the chain
--   confirmed   the event is deep enough in the chain
--   superseded  the chain holds a larger head already, so this one can never be anchored
-- A chain that takes a block back leads from confirmed to sent.
create table log.anchors (
  -- CAIP-2, e.g. eip155:1.
  chain        text not null,
  -- Address in lower-case hex.
  contract     text not null,
  -- A development chain: not public, anybody who runs it can rewrite it.
  simulated    boolean not null,
  size         bigint not null check (size > 0),
  root         bytea not null check (length(root) = 32),
  state        text not null default 'pending' check (state in ('pending', 'sent', 'confirmed', 'superseded')),
  begun_at     timestamptz not null,
  tx_hash      text,
  block        bigint,
  block_hash   text,
  confirmed_at timestamptz,
  -- Header, receipt and its path: lets a stranger check the anchor with nothing but the block's hash.
  evidence     jsonb,
  primary key (chain, contract, size),
  check ((state = 'confirmed')
         = (tx_hash is not null and block is not null and block_hash is not null and confirmed_at is not null))
);
-- "The smallest anchored size above an index."
create index anchors_confirmed on log.anchors (simulated, size) where state = 'confirmed';
-- One head of a contract is under way at a time, unless the chain has taken some back.
create index anchors_open on log.anchors (chain, contract, size) where state in ('pending', 'sent');

-- Every transaction ever signed for an anchor, stored before it is sent: after a crash it is sent again rather than made
-- again. Several of one anchor differ in fees, or in the nonce when another transaction has taken it.
create table log.anchor_transactions (
  hash      text primary key,
  chain     text not null,
  contract  text not null,
  size      bigint not null,
  nonce     bigint not null check (nonce >= 0),
  -- The signed transaction as it is sent; it holds no secret.
  raw       text not null,
  signed_at timestamptz not null,
  foreign key (chain, contract, size) references log.anchors
);
create index anchor_transactions_of on log.anchor_transactions (chain, contract, size);

-- Who asked for an anchor of what.
create table log.anchor_requests (
  id           text primary key,
  principal    text not null,
  proof_ids    text[] not null,
  -- The anchored head must contain this position.
  position     bigint not null,
  -- Does not wait until the next batch is due.
  urgent       boolean not null,
  requested_at timestamptz not null
);
create index anchor_requests_urgent on log.anchor_requests (position) where urgent;

-- What the anchoring process has to say; one row.
create table log.anchoring (
  id         boolean primary key default true check (id),
  chain      text,
  contract   text,
  simulated  boolean,
  -- What keeps it from anchoring, in words for an operator.
  fault      text,
  changed_at timestamptz not null
);
