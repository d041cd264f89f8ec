-- The few sagas that wait for a person, found without a look at the others. Sagas that run are in saga_instances_due.
CREATE INDEX saga_instances_blocked ON saga_instances (started_at) WHERE status = 'BLOCKED';
