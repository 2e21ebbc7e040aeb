-- What filters ask for is kept beside conversations and contacts, whose rows move with every message.

SET lock_timeout = '5s';

-- One line for each attribute: `custom.<key>`, `additional.<key>`, and others that have a name alone. Lists find here what
-- may be meant and compare the row itself, so that a line too many does no harm. The value is cut: an index takes no more.
-- owner: conversations
CREATE TABLE conversation_attributes (
    account_id bigint NOT NULL,
    conversation_id bigint NOT NULL,
    attribute text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    number numeric,
    PRIMARY KEY (account_id, conversation_id, attribute),
    FOREIGN KEY (account_id, conversation_id) REFERENCES conversations (account_id, id) ON DELETE CASCADE
);
CREATE INDEX conversation_attributes_by_value ON conversation_attributes (account_id, attribute, value, conversation_id);
CREATE INDEX conversation_attributes_by_number ON conversation_attributes (account_id, attribute, number, conversation_id)
    WHERE number IS NOT NULL;

-- `sorted` is what lists are ordered by, as it was written.
-- owner: contacts
CREATE TABLE contact_attributes (
    account_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    attribute text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    number numeric,
    sorted text,
    PRIMARY KEY (account_id, contact_id, attribute),
    FOREIGN KEY (account_id, contact_id) REFERENCES contacts (account_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_attributes_by_value ON contact_attributes (account_id, attribute, value, contact_id);
CREATE INDEX contact_attributes_by_number ON contact_attributes (account_id, attribute, number, contact_id)
    WHERE number IS NOT NULL;
CREATE INDEX contact_attributes_sorted ON contact_attributes (account_id, attribute, sorted, contact_id)
    WHERE sorted IS NOT NULL;

-- Which values there are depends on the attribute.
CREATE STATISTICS conversation_attributes_values (mcv) ON attribute, value FROM conversation_attributes;
CREATE STATISTICS contact_attributes_values (mcv) ON attribute, value FROM contact_attributes;

-- What is no object has no attributes, and a key longer than any definition's is asked for by nobody.
CREATE FUNCTION texts_of(attributes jsonb) RETURNS TABLE (key text, value text) LANGUAGE sql STABLE AS $$
    SELECT each.key, each.value
    FROM jsonb_each_text(CASE WHEN jsonb_typeof(attributes) = 'object' THEN attributes ELSE '{}' END) AS each
    WHERE each.value IS NOT NULL AND char_length(each.key) <= 255
$$;
CREATE FUNCTION custom_lines(attributes jsonb) RETURNS TABLE (attribute text, value text, number numeric)
LANGUAGE sql STABLE AS $$
    SELECT 'custom.' || found.key, left(lower(found.value), 200),
        CASE WHEN found.value ~ '^ *-?[0-9]{1,40}([.][0-9]{1,40})? *$' THEN found.value::numeric END
    FROM texts_of(attributes) AS found
$$;
CREATE FUNCTION lines_of(conversation conversations) RETURNS TABLE (attribute text, value text, number numeric)
LANGUAGE sql STABLE AS $$
    SELECT * FROM custom_lines(conversation.custom_attributes)
    UNION ALL
    SELECT 'additional.' || found.key, left(found.value, 200), NULL FROM texts_of(conversation.additional_attributes) AS found
    WHERE found.key IN ('browser_language', 'conversation_language', 'referer', 'mail_subject')
    UNION ALL
    SELECT 'campaign', conversation.campaign_id::text, conversation.campaign_id WHERE conversation.campaign_id IS NOT NULL
$$;
CREATE FUNCTION lines_of(contact contacts) RETURNS TABLE (attribute text, value text, number numeric, sorted text)
LANGUAGE sql STABLE AS $$
    SELECT custom.*, NULL FROM custom_lines(contact.custom_attributes) AS custom
    UNION ALL
    SELECT 'additional.' || found.key, left(lower(found.value), 200), NULL,
        CASE WHEN found.key IN ('company_name', 'city', 'country') THEN left(found.value, 200) END
    FROM texts_of(contact.additional_attributes) AS found
    WHERE found.key IN ('country_code', 'city', 'company', 'company_name', 'country')
    UNION ALL
    SELECT 'labelled', '', NULL, NULL WHERE contact.labels <> '{}'
$$;

CREATE FUNCTION keep_conversation_attributes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM conversation_attributes AS kept
        WHERE kept.account_id = NEW.account_id AND kept.conversation_id = NEW.id
          AND NOT EXISTS (SELECT FROM lines_of(NEW) AS line WHERE line.attribute = kept.attribute);
    END IF;
    INSERT INTO conversation_attributes AS kept (account_id, conversation_id, attribute, value, number)
    SELECT NEW.account_id, NEW.id, line.* FROM lines_of(NEW) AS line
    ON CONFLICT (account_id, conversation_id, attribute) DO UPDATE SET value = excluded.value, number = excluded.number
        WHERE (kept.value, kept.number) IS DISTINCT FROM (excluded.value, excluded.number);
    RETURN NULL;
END
$$;
CREATE FUNCTION keep_contact_attributes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM contact_attributes AS kept
        WHERE kept.account_id = NEW.account_id AND kept.contact_id = NEW.id
          AND NOT EXISTS (SELECT FROM lines_of(NEW) AS line WHERE line.attribute = kept.attribute);
    END IF;
    INSERT INTO contact_attributes AS kept (account_id, contact_id, attribute, value, number, sorted)
    SELECT NEW.account_id, NEW.id, line.* FROM lines_of(NEW) AS line
    ON CONFLICT (account_id, contact_id, attribute)
        DO UPDATE SET value = excluded.value, number = excluded.number, sorted = excluded.sorted
        WHERE (kept.value, kept.number, kept.sorted) IS DISTINCT FROM (excluded.value, excluded.number, excluded.sorted);
    RETURN NULL;
END
$$;

-- Counts of the conversations that have a priority, a label, or any label, as differences beside `conversation_counts`:
-- most conversations have none and add no line. `mark` says which.
-- owner: conversations
CREATE TABLE marked_counts (
    account_id bigint NOT NULL,
    mark text NOT NULL,
    inbox_id bigint NOT NULL,
    status text NOT NULL,
    team_id bigint,
    assignee_id bigint,
    difference bigint NOT NULL
);
CREATE INDEX marked_counts_by_account ON marked_counts (account_id, mark, status, inbox_id)
    INCLUDE (team_id, assignee_id, difference);

CREATE FUNCTION marks_of(priority smallint, labels text[]) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'priority ' || priority WHERE priority IS NOT NULL
    UNION ALL
    SELECT 'labelled' WHERE labels <> '{}'
    UNION ALL
    SELECT DISTINCT 'label ' || label FROM unnest(labels) AS label
$$;
CREATE FUNCTION count_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO marked_counts (account_id, mark, inbox_id, status, team_id, assignee_id, difference)
    SELECT told.account_id, told.mark, told.inbox_id, told.status, told.team_id, told.assignee_id, sum(told.difference)
    FROM (
        SELECT OLD.account_id, mark, OLD.inbox_id, OLD.status, OLD.team_id, OLD.assignee_id, -1 AS difference
        FROM marks_of(OLD.priority, OLD.labels) AS mark WHERE TG_OP <> 'INSERT'
        UNION ALL
        SELECT NEW.account_id, mark, NEW.inbox_id, NEW.status, NEW.team_id, NEW.assignee_id, 1
        FROM marks_of(NEW.priority, NEW.labels) AS mark WHERE TG_OP <> 'DELETE'
    ) AS told
    GROUP BY told.account_id, told.mark, told.inbox_id, told.status, told.team_id, told.assignee_id
    HAVING sum(told.difference) <> 0;
    RETURN NULL;
END
$$;

-- Whoever writes waits from here to the end.
CREATE TRIGGER keep_attributes AFTER INSERT ON conversations
    FOR EACH ROW WHEN (NEW.custom_attributes <> '{}' OR NEW.additional_attributes <> '{}' OR NEW.campaign_id IS NOT NULL)
    EXECUTE FUNCTION keep_conversation_attributes();
CREATE TRIGGER keep_changed_attributes AFTER UPDATE OF custom_attributes, additional_attributes, campaign_id ON conversations
    FOR EACH ROW WHEN (
        (OLD.custom_attributes, OLD.additional_attributes, OLD.campaign_id)
        IS DISTINCT FROM (NEW.custom_attributes, NEW.additional_attributes, NEW.campaign_id)
    ) EXECUTE FUNCTION keep_conversation_attributes();
CREATE TRIGGER keep_attributes AFTER INSERT ON contacts
    FOR EACH ROW WHEN (NEW.custom_attributes <> '{}' OR NEW.additional_attributes <> '{}' OR NEW.labels <> '{}')
    EXECUTE FUNCTION keep_contact_attributes();
CREATE TRIGGER keep_changed_attributes AFTER UPDATE OF custom_attributes, additional_attributes, labels ON contacts
    FOR EACH ROW WHEN (
        (OLD.custom_attributes, OLD.additional_attributes, OLD.labels)
        IS DISTINCT FROM (NEW.custom_attributes, NEW.additional_attributes, NEW.labels)
    ) EXECUTE FUNCTION keep_contact_attributes();
CREATE TRIGGER count_new_marked AFTER INSERT ON conversations
    FOR EACH ROW WHEN (NEW.priority IS NOT NULL OR NEW.labels <> '{}') EXECUTE FUNCTION count_marked();
CREATE TRIGGER count_gone_marked AFTER DELETE ON conversations
    FOR EACH ROW WHEN (OLD.priority IS NOT NULL OR OLD.labels <> '{}') EXECUTE FUNCTION count_marked();
CREATE TRIGGER count_changed_marked
    AFTER UPDATE OF inbox_id, status, team_id, assignee_id, priority, labels ON conversations
    FOR EACH ROW WHEN (
        (OLD.inbox_id, OLD.status, OLD.team_id, OLD.assignee_id, OLD.priority, OLD.labels)
        IS DISTINCT FROM (NEW.inbox_id, NEW.status, NEW.team_id, NEW.assignee_id, NEW.priority, NEW.labels)
        AND (OLD.priority IS NOT NULL OR NEW.priority IS NOT NULL OR OLD.labels <> '{}' OR NEW.labels <> '{}')
    ) EXECUTE FUNCTION count_marked();

INSERT INTO marked_counts (account_id, mark, inbox_id, status, team_id, assignee_id, difference)
SELECT account_id, mark, inbox_id, status, team_id, assignee_id, count(*)
FROM conversations CROSS JOIN LATERAL marks_of(priority, labels) AS mark
GROUP BY account_id, mark, inbox_id, status, team_id, assignee_id;

-- The next migration calls these: what was there before, so many rows a transaction. Lines that are there stay.
CREATE PROCEDURE keep_attributes_of_conversations() LANGUAGE plpgsql AS $$
DECLARE
    place record := (0::bigint, 0::bigint);
    found record;
BEGIN
    LOOP
        WITH batch AS (
            SELECT conversation FROM conversations AS conversation
            WHERE (conversation.account_id, conversation.id) > (place.f1, place.f2)
            ORDER BY conversation.account_id, conversation.id LIMIT 500
        ), kept AS (
            INSERT INTO conversation_attributes (account_id, conversation_id, attribute, value, number)
            SELECT (conversation).account_id, (conversation).id, line.*
            FROM batch CROSS JOIN LATERAL lines_of(conversation) AS line
            ON CONFLICT DO NOTHING
        )
        SELECT (conversation).account_id AS f1, (conversation).id AS f2 INTO found
        FROM batch ORDER BY 1 DESC, 2 DESC LIMIT 1;
        EXIT WHEN found.f1 IS NULL;
        place := found;
        COMMIT;
    END LOOP;
END
$$;
CREATE PROCEDURE keep_attributes_of_contacts() LANGUAGE plpgsql AS $$
DECLARE
    place record := (0::bigint, 0::bigint);
    found record;
BEGIN
    LOOP
        WITH batch AS (
            SELECT contact FROM contacts AS contact
            WHERE (contact.account_id, contact.id) > (place.f1, place.f2)
            ORDER BY contact.account_id, contact.id LIMIT 500
        ), kept AS (
            INSERT INTO contact_attributes (account_id, contact_id, attribute, value, number, sorted)
            SELECT (contact).account_id, (contact).id, line.* FROM batch CROSS JOIN LATERAL lines_of(contact) AS line
            ON CONFLICT DO NOTHING
        )
        SELECT (contact).account_id AS f1, (contact).id AS f2 INTO found FROM batch ORDER BY 1 DESC, 2 DESC LIMIT 1;
        EXIT WHEN found.f1 IS NULL;
        place := found;
        COMMIT;
    END LOOP;
END
$$;
