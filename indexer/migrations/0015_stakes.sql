create table stakes (
    operator bytea not null,
    active numeric(78, 0) not null,
    unbonding numeric(78, 0) not null,
    withdrawable_from bigint not null,
    slashed numeric(78, 0) not null,
    constraint stakes_pkey primary key (operator),
    constraint stakes_operator_length check (octet_length(operator) = 20)
);
