create table payouts (
    controller bytea not null,
    budget_id numeric(78, 0) not null,
    operator bytea not null,
    payee bytea not null,
    claimed numeric(78, 0) not null,
    claims integer not null,
    updated_at bigint not null,
    constraint payouts_pkey primary key (controller, budget_id, operator),
    constraint payouts_operator_length check (octet_length(operator) = 20),
    constraint payouts_payee_length check (octet_length(payee) = 20)
);
create index payouts_operator on payouts (operator);
