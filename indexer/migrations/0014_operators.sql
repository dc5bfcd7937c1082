create table operators (
    operator bytea not null,
    metadata bytea not null,
    sealing_key bytea not null,
    capabilities numeric(20, 0) not null,
    active boolean not null,
    registered_at bigint not null,
    constraint operators_pkey primary key (operator),
    constraint operators_operator_length check (octet_length(operator) = 20),
    constraint operators_sealing_key_length check (octet_length(sealing_key) = 32)
);
