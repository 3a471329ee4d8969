-- What an ended job left behind is dropped after a while; its row, and with it its key, stays.

alter table jobs add column pruned_at real;
create index jobs_unpruned on jobs (finished_at) where finished_at is not null and pruned_at is null;
