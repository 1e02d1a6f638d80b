-- The statements of an append serve one stream as they serve a hundred: they are planned once per connection. Left to the
-- server they would be planned anew for every append, for it takes a short list for a reason to.
alter function log.append(
  text[], bigint[], text[], text[], text[], integer[], bigint[], text, text, integer[], text[], bigint[], bigint[], integer[]
) set plan_cache_mode = force_generic_plan;
