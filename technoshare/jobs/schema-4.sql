-- Up to where each channel was read back, so that a start knows what it has missed.

create table looks (
  channel text primary key,
  at      real not null                             -- a message's time: all before it were looked at
) strict, without rowid;
