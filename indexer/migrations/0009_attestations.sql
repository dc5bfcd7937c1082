create table attestations (
    session_id bigint not null,
    round integer not null,
    keeper bytea not null,
    attested_at bigint not null,
    constraint attestations_pkey primary key (session_id, round, keeper),
    constraint attestations_keeper_length check (octet_length(keeper) = 20)
);
