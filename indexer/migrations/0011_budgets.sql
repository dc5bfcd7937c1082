create table budgets (
    controller bytea not null,
    budget_id numeric(78, 0) not null,
    funder bytea not null,
    deposited numeric(78, 0) not null,
    committed numeric(78, 0) not null,
    claimed numeric(78, 0) not null,
    refunded numeric(78, 0) not null,
    root bytea not null,
    closed boolean not null,
    constraint budgets_pkey primary key (controller, budget_id),
    constraint budgets_controller_length check (octet_length(controller) = 20),
    constraint budgets_funder_length check (octet_length(funder) = 20),
    constraint budgets_solvent check (claimed <= committed and committed + refunded <= deposited)
);
create index budgets_funder on budgets (funder);
