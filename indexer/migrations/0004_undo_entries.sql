-- What each row was before a block that may still be orphaned changed it; null when there was no such row.
create table undo_entries (
    undo_entry_id bigint generated always as identity,
    number bigint not null,
    table_name text not null,
    row_key jsonb not null,
    previous jsonb,
    constraint undo_entries_pkey primary key (undo_entry_id)
);
create index undo_entries_number on undo_entries (number);
