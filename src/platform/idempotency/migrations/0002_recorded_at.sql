-- When the first request came, to tell it to a client that uses its key again for something else. NULL in rows of version 0.1.
ALTER TABLE idempotency_keys ADD COLUMN recorded_at ${instant};
