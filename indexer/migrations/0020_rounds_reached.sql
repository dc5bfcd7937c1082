alter table rounds add column reached boolean;
