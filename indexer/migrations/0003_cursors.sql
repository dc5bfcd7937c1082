-- How far the chain is folded in. One row, moved in the transaction that writes what it stands for.
create table cursors (
    chain_id bigint not null,
    contracts jsonb not null,
    number bigint not null,
    block_hash bytea not null,
    state_hash bytea not null,
    safe_number bigint not null,
    finalized_number bigint not null,
    constraint cursors_pkey primary key (chain_id),
    constraint cursors_block_hash_length check (octet_length(block_hash) = 32),
    constraint cursors_state_hash_length check (octet_length(state_hash) = 32),
    constraint cursors_order check (finalized_number <= safe_number and safe_number <= number)
);
create unique index cursors_single on cursors ((true));
