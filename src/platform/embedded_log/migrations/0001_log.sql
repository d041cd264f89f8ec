-- The embedded log. A partition keeps its newest message for ever, so that its offsets never start again.
CREATE TABLE partitions (
    id ${integer} PRIMARY KEY,
    topic ${key} NOT NULL,
    number ${integer} NOT NULL,
    UNIQUE (topic, number)
);
CREATE TABLE messages (
    partition_id ${integer} NOT NULL,
    position ${integer} NOT NULL,
    taken_at ${integer} NOT NULL,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    headers BLOB NOT NULL,
    PRIMARY KEY (partition_id, position)
) ${table};
CREATE TABLE commits (
    group_name ${key} NOT NULL,
    partition_id ${integer} NOT NULL,
    next_position ${integer} NOT NULL,
    PRIMARY KEY (group_name, partition_id)
) ${table};
