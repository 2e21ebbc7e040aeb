-- Files that were announced and have not come yet.

-- With its bytes a reservation becomes an upload of the same number; until then nothing that names an upload finds it.
-- Its file stands among those to be removed from the beginning, so that bytes which nobody claims go by themselves.
-- owner: messages
CREATE TABLE upload_reservations (
    account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id bigint NOT NULL DEFAULT nextval('uploads_id_seq'),
    file_key text NOT NULL,
    filename text NOT NULL,
    content_type text NOT NULL,
    byte_size bigint NOT NULL CHECK (byte_size >= 0),
    checksum text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX upload_reservations_expiring ON upload_reservations (account_id, expires_at);
