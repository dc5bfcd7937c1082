create table updates (
    session_id bigint not null,
    round integer not null,
    operator bytea not null,
    seat integer not null,
    digest bytea not null,
    samples numeric(20, 0) not null,
    shares bytea,
    posted_at bigint not null,
    transaction_hash bytea not null,
    constraint updates_pkey primary key (session_id, round, operator),
    constraint updates_operator_length check (octet_length(operator) = 20),
    constraint updates_digest_length check (octet_length(digest) = 32)
);
create index updates_operator on updates (operator);
