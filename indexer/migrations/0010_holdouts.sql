create table holdouts (
    session_id bigint not null,
    keeper bytea not null,
    holdout bytea not null,
    constraint holdouts_pkey primary key (session_id, keeper),
    constraint holdouts_keeper_length check (octet_length(keeper) = 20),
    constraint holdouts_holdout_length check (octet_length(holdout) = 32)
);
