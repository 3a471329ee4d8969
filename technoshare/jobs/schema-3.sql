-- What became of the messages that hold the links.

create table withdrawn (
  channel text not null,
  ts      text not null,                            -- of the deleted message
  at      real not null,
  primary key (channel, ts)
) strict, without rowid;

create index jobs_message on jobs (channel, ts);
