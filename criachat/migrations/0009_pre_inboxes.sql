-- What every kind of channel but the API's is set up with.

SET lock_timeout = '5s';

-- Their numbers come from the sequence of the API's channels, so that one number is one channel.
-- owner: inboxes
CREATE TABLE channels (
    account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    id bigint NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}',
    secrets bytea,
    hmac_token bytea,
    PRIMARY KEY (account_id, id)
);
