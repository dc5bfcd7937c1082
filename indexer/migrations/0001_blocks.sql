-- Blocks as they were seen. A reorg leaves the orphaned ones here, marked, until they are older than finality: whoever
-- resumes the event stream from one is led back to the block where its branch left the chain.
create table blocks (
    block_hash bytea not null,
    parent_hash bytea not null,
    number bigint not null,
    mined_at timestamptz not null,
    canonical boolean not null,
    state_hash bytea not null,
    constraint blocks_pkey primary key (block_hash),
    constraint blocks_block_hash_length check (octet_length(block_hash) = 32),
    constraint blocks_parent_hash_length check (octet_length(parent_hash) = 32),
    constraint blocks_state_hash_length check (octet_length(state_hash) = 32),
    constraint blocks_number_natural check (number >= 0)
);
create unique index blocks_canonical_number on blocks (number) where canonical;
create index blocks_orphaned_number on blocks (number) where not canonical;
