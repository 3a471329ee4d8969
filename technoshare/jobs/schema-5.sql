-- When the sign of a link's end (✅ or ⚠️) stood on its message, so that a start can set the ones that a crash ate.

alter table jobs add column end_sign_at real;
create index jobs_unsigned on jobs (finished_at) where end_sign_at is null and finished_at is not null;
