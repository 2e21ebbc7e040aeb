-- What conversations keep beside what is said in them.

SET lock_timeout = '5s';

-- What somebody began to write. Everybody in the conversation finds the same, as the family's clients expect.
-- owner: conversations
CREATE TABLE conversation_drafts (
    account_id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    message text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, conversation_id),
    FOREIGN KEY (account_id, conversation_id) REFERENCES conversations (account_id, id) ON DELETE CASCADE
);

-- The private note that asked for the person last, so that one that is read twice asks once.
ALTER TABLE mentions ADD COLUMN message_id bigint;
