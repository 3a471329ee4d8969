-- What models have cost, so that a day's budget outlives a restart.

create table spending (
  day text primary key,                             -- UTC, 2026-11-23
  usd real not null
) strict, without rowid;
