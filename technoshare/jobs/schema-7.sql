-- What people think of the comments, and what somebody was told about it.

create table votes (
  job_id     text    not null,
  generation integer not null,                      -- which of the job's comments
  user       text    not null,                      -- Slack's id
  value      text    not null check (value in ('up', 'down', 'none')),
  reason     text    not null default '',
  at         real    not null,                      -- Slack's time of the click
  handed_on  integer not null default 0,            -- whether MLflow's spool has it
  primary key (job_id, generation, user)
) strict, without rowid;
create index votes_latest on votes (at) where value <> 'none';
create index votes_new on votes (at) where handed_on = 0;

create index shares_comments on shares (at, outcome) where outcome in ('success', 'degraded');

create table alerts (
  token    text    primary key,
  name     text    not null,                        -- of the rate that fell
  line     text    not null,                        -- what is said
  at       real    not null,                        -- when it fell
  reserved real,                                    -- since when a post may have been sent
  receipt  text,                                    -- JSON; null while it is unknown whether the post arrived
  over     integer not null default 0               -- whether the rate has recovered
) strict;
