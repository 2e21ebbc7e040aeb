-- What searches look through: the words of the messages of the last months, beside the messages.

-- Where it can be had, letters are found whatever accents they bear; what is sought passes through here as well.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS unaccent;
    CREATE FUNCTION search_words(text) RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE
        AS 'SELECT unaccent(lower($1))';
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
    RAISE NOTICE 'searches tell accents apart: %', SQLERRM;
    CREATE FUNCTION search_words(text) RETURNS text LANGUAGE sql STABLE STRICT PARALLEL SAFE
        AS 'SELECT lower($1)';
END
$$;

-- Filled behind the messages by a job, so that nobody who says something waits for the index. There is no foreign key:
-- it would lock, and so write, each message once more. Triggers take words away with their message.
-- owner: search
CREATE TABLE message_words (
    account_id bigint NOT NULL,
    message_id bigint NOT NULL,
    inbox_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    words text NOT NULL,
    PRIMARY KEY (account_id, message_id)
);

-- Up to which message an account's words are there, and up to which no older message can appear any more.
-- owner: search
CREATE TABLE message_words_progress (
    account_id bigint PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    kept_id bigint NOT NULL,
    settled_id bigint NOT NULL
);

-- Without these extensions what is rare is looked for in all words of the account.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS btree_gin;
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX message_words_anywhere ON message_words USING gin (account_id, inbox_id, words gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR feature_not_supported OR undefined_file THEN
    RAISE NOTICE 'messages are searched without an index: %', SQLERRM;
END
$$;

CREATE FUNCTION keep_message_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE message_words SET words = coalesce(left(search_words(NEW.content), 20000), '')
    WHERE account_id = NEW.account_id AND message_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_message_words AFTER UPDATE OF content ON messages
    FOR EACH ROW WHEN (OLD.content IS DISTINCT FROM NEW.content) EXECUTE FUNCTION keep_message_words();

CREATE FUNCTION forget_message_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM message_words USING gone
    WHERE message_words.account_id = gone.account_id AND message_words.message_id = gone.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_message_words AFTER DELETE ON messages
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION forget_message_words();
