create table reputations (
    operator bytea not null,
    score integer not null,
    finished bigint not null,
    missed bigint not null,
    updated_at bigint not null,
    constraint reputations_pkey primary key (operator),
    constraint reputations_operator_length check (octet_length(operator) = 20)
);
create index reputations_leaderboard on reputations (score desc, finished desc, operator);
