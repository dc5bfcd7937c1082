create table seats (
    session_id bigint not null,
    seat integer not null,
    operator bytea,
    joined_round integer not null,
    last_round integer not null,
    settled boolean not null,
    sealing_key bytea,
    shard bytea,
    forfeits integer not null,
    constraint seats_pkey primary key (session_id, seat),
    constraint seats_operator_length check (octet_length(operator) = 20),
    constraint seats_sealing_key_length check (octet_length(sealing_key) = 32),
    constraint seats_shard_length check (octet_length(shard) = 32)
);
create index seats_operator on seats (operator) where operator is not null;
