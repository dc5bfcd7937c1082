create table authorities (
    authority bytea not null,
    governor bytea,
    sealed boolean not null,
    constraint authorities_pkey primary key (authority),
    constraint authorities_authority_length check (octet_length(authority) = 20),
    constraint authorities_governor_length check (octet_length(governor) = 20)
);
