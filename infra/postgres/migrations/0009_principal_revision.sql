-- Revision of the subject's stream that the row shows: writers that meet leave the newest.
alter table engine.principals add column revision bigint not null default -1;
