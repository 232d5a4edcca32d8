-- Plain values, last write wins by `stamp`. A deleted key stays as a NULL value until `forget_after_s` (UNIX seconds),
-- so that a late stale write still loses.
CREATE TABLE record (
    collection TEXT NOT NULL,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    stamp INTEGER NOT NULL,
    forget_after_s INTEGER,
    value BLOB,
    PRIMARY KEY (collection, bucket, key)
);
CREATE INDEX record_forgettable ON record (forget_after_s) WHERE forget_after_s IS NOT NULL;

-- One row a journal segment: what Cassandra keeps in the static columns of the partition.
CREATE TABLE segment_head (
    journal TEXT NOT NULL,
    segment INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    owner TEXT NOT NULL,
    head INTEGER NOT NULL,
    tip BLOB NOT NULL,
    sealed INTEGER NOT NULL,
    PRIMARY KEY (journal, segment)
) WITHOUT ROWID;

CREATE TABLE segment_group (
    journal TEXT NOT NULL,
    segment INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (journal, segment, seq)
);
