-- Merging two contacts takes as long as one of them has history, which may be very long.

SET lock_timeout = '5s';

-- Contacts who become part of another one, batch by batch, and on whose behalf. The other may itself become part of a
-- third, or be removed: then what is left follows it there.
-- owner: contacts
CREATE TABLE contact_merges (
    account_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    into_id bigint NOT NULL,
    actor jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, contact_id),
    FOREIGN KEY (account_id, contact_id) REFERENCES contacts (account_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_merges_by_survivor ON contact_merges (account_id, into_id);
