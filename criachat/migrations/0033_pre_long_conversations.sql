-- One conversation may be longer than what a transaction should remove.

SET lock_timeout = '5s';

-- Remove so many messages of a conversation that goes, the oldest first; how many there were.
CREATE FUNCTION shorten_conversation(account bigint, conversation bigint, at_most bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
BEGIN
    DELETE FROM messages
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM messages WHERE account_id = account AND conversation_id = conversation ORDER BY id LIMIT at_most
    ));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
