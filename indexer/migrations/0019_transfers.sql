-- Money of one account that moved or changed its standing, seen from that account. A transfer between two accounts is two rows.
create table transfers (
    number bigint not null,
    log_index bigint not null,
    part integer not null,
    account bytea not null,
    kind text not null,
    counterparty bytea not null,
    amount numeric(78, 0) not null,
    session_id bigint,
    transaction_hash bytea not null,
    constraint transfers_pkey primary key (number, log_index, part),
    constraint transfers_account_length check (octet_length(account) = 20),
    constraint transfers_counterparty_length check (octet_length(counterparty) = 20)
);
create index transfers_account on transfers (account, number, log_index, part);
