create table if not exists customers (
  id integer generated always as identity primary key,
  name text not null,
  email text not null unique,
  created_at timestamptz not null default now()
);

create table if not exists notes (
  id integer generated always as identity primary key,
  customer_id integer not null references customers (id) on delete cascade,
  body text not null,
  created_at timestamptz not null default now()
);

create index if not exists notes_customer on notes (customer_id, created_at desc);
