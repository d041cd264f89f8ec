-- A client's id of a customer is any text. A UUID stays as PostgreSQL writes it, in lower case; SQLite had it as text before.
ALTER TABLE orders ALTER COLUMN customer_id TYPE TEXT COLLATE "C" USING customer_id::text;
