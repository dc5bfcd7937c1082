-- What Escrow knows of an address: refunds it may withdraw, and where its money goes (null: to itself).
create table accounts (
    account bytea not null,
    credit numeric(78, 0) not null,
    payee bytea,
    constraint accounts_pkey primary key (account),
    constraint accounts_account_length check (octet_length(account) = 20),
    constraint accounts_payee_length check (octet_length(payee) = 20)
);
