create table roles (
    role bytea not null,
    account bytea not null,
    active_from bigint not null,
    revoked boolean not null,
    constraint roles_pkey primary key (role, account),
    constraint roles_role_length check (octet_length(role) = 32),
    constraint roles_account_length check (octet_length(account) = 20)
);
