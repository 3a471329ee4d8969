-- Jobs, what their stages left behind, the posts, and the ledger of shares. Times are unix seconds.

create table jobs (
  number           integer primary key,             -- order of arrival
  id               text    not null unique,         -- 12 hex digits, the same in every bot that sees the link
  key              text    not null unique,
  channel          text    not null,
  ts               text    not null,                -- the message that holds the link
  url              text    not null,
  state            text    not null default 'ready' check (state in ('ready', 'running', 'done', 'dead')),
  priority         integer not null default 0,
  run_at           real    not null,
  generation       integer not null default 0,      -- grows with each Retry or Write again
  claims           integer not null default 0,      -- the fence: only grows
  failures         integer not null default 0,      -- the retry budget
  parks            integer not null default 0,      -- times that somebody else asked us to wait
  interruptions    integer not null default 0,      -- times that the process ended while this job ran
  error            text    not null default '',
  received         real    not null,
  first_sign_at    real,
  first_claimed_at real,
  finished_at      real,
  payload          text    not null                 -- the whole job as JSON
) strict;
create index jobs_ready   on jobs (priority desc, run_at, number) where state = 'ready';
create index jobs_running on jobs (number) where state = 'running';

create table checkpoints (
  job_id     text    not null references jobs (id) on delete cascade,
  generation integer not null,
  stage      text    not null,
  version    integer not null,                      -- of the values in result and trail
  started    real    not null,
  result     text    not null,                      -- JSON; null for a stage that failed
  trail      text    not null,                      -- JSON
  primary key (job_id, generation, stage)
) strict, without rowid;

create table posts (
  token   text primary key,
  job_id  text not null references jobs (id) on delete cascade,
  at      real not null,                            -- of the reservation
  receipt text                                      -- JSON; null while it is unknown whether the post arrived
) strict;

create table shares (
  job_id         text    primary key,               -- no reference: the ledger outlives the jobs
  generation     integer not null,
  channel        text    not null,
  ts             text    not null,
  thread_ts      text    not null,
  user           text    not null,
  url            text    not null,
  identity       text    not null,                  -- canonical form of url
  final_url      text    not null default '',
  final_identity text    not null default '',
  at             real    not null,
  outcome        text    not null default '',       -- empty while the job works on it
  reply_ts       text    not null default '',
  evidence       text,                              -- JSON
  comment        text                               -- JSON
) strict;
create index shares_posted on shares (channel, identity);
create index shares_final  on shares (channel, final_identity);
