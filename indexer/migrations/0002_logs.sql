-- Logs of canonical blocks, raw and decoded. Everything else in this schema can be folded again from them.
create table logs (
    block_hash bytea not null,
    log_index bigint not null,
    number bigint not null,
    transaction_hash bytea not null,
    address bytea not null,
    topics bytea [] not null,
    data bytea not null,
    event text not null,
    session_id bigint,
    fields jsonb not null,
    constraint logs_pkey primary key (block_hash, log_index),
    constraint logs_block_hash_fkey foreign key (block_hash) references blocks (block_hash) on delete cascade,
    constraint logs_transaction_hash_length check (octet_length(transaction_hash) = 32),
    constraint logs_address_length check (octet_length(address) = 20)
);
create unique index logs_position on logs (number, log_index);
create index logs_session on logs (session_id, number, log_index) where session_id is not null;
