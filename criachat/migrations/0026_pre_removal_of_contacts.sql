-- A contact with a very long history is gone at once; the history follows.

SET lock_timeout = '5s';

-- Sessions and conversations refer to these rows instead of to contacts: one stays behind when a contact is removed with
-- whom more was said than a request can remove. Whoever reads a conversation joins the contact, and finds none.
-- owner: contacts
CREATE TABLE named_contacts (
    account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    contact_id bigint NOT NULL,
    left_at timestamptz,
    PRIMARY KEY (account_id, contact_id)
);
CREATE INDEX named_contacts_left ON named_contacts (account_id, contact_id) WHERE left_at IS NOT NULL;

INSERT INTO named_contacts (account_id, contact_id) SELECT account_id, id FROM contacts;

CREATE FUNCTION name_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO named_contacts (account_id, contact_id) VALUES (NEW.account_id, NEW.id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
-- Before those who refer to it: what a statement inserts is checked when all of it is there.
CREATE TRIGGER name_contact AFTER INSERT ON contacts FOR EACH ROW EXECUTE FUNCTION name_contact();

-- What can be removed in the same breath is; it goes with the row that stands for the contact. Of the others the sessions
-- lead nowhere from now on, and their source ids are free; all of a usual contact's are among the first thousand.
CREATE FUNCTION contact_left() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_light boolean;
    sessions bigint[];
BEGIN
    SELECT (
        SELECT count(*) FROM (
            SELECT FROM contact_inboxes WHERE account_id = OLD.account_id AND contact_id = OLD.id LIMIT 501
        ) AS found
    ) <= 500 AND (
        SELECT count(*) FROM (
            SELECT FROM conversations WHERE account_id = OLD.account_id AND contact_id = OLD.id LIMIT 501
        ) AS found
    ) <= 500 AND (
        SELECT count(*) FROM (
            SELECT FROM conversations
            JOIN messages ON messages.account_id = OLD.account_id AND messages.conversation_id = conversations.id
            WHERE conversations.account_id = OLD.account_id AND conversations.contact_id = OLD.id
            LIMIT 20001
        ) AS found
    ) <= 20000
    INTO is_light;
    IF is_light THEN
        DELETE FROM named_contacts WHERE account_id = OLD.account_id AND contact_id = OLD.id;
        RETURN NULL;
    END IF;
    UPDATE named_contacts SET left_at = clock_timestamp() WHERE account_id = OLD.account_id AND contact_id = OLD.id;
    sessions := ARRAY(
        SELECT id FROM contact_inboxes WHERE account_id = OLD.account_id AND contact_id = OLD.id ORDER BY id LIMIT 1000
    );
    UPDATE contact_inboxes SET source_id = 'left-' || id || '-' || gen_random_uuid(), pubsub_token = 'left-' || id
    WHERE account_id = OLD.account_id AND id = ANY(sessions);
    DELETE FROM directory
    WHERE account_id = OLD.account_id AND kind = 'contact_pubsub_token' AND object_id = ANY(sessions);
    RETURN NULL;
END
$$;
CREATE TRIGGER contact_left AFTER DELETE ON contacts FOR EACH ROW EXECUTE FUNCTION contact_left();

ALTER TABLE contact_inboxes
    DROP CONSTRAINT contact_inboxes_account_id_contact_id_fkey,
    ADD FOREIGN KEY (account_id, contact_id) REFERENCES named_contacts (account_id, contact_id) ON DELETE CASCADE;
ALTER TABLE conversations
    DROP CONSTRAINT conversations_account_id_contact_id_fkey,
    ADD FOREIGN KEY (account_id, contact_id) REFERENCES named_contacts (account_id, contact_id) ON DELETE CASCADE;
