-- LD-1, LD-1b: a message is there, its conversation moved, and an event tells of it. One statement, one trip.
\set conversation random(1, :conversations)
WITH conversation AS (
    UPDATE yardstick.conversations
    SET last_activity_at = now(), version = version + 1,
        last_message = '{"id": 1, "content": "Could you send me the invoice again?", "message_type": 1, "sender_id": 7}'
    WHERE account_id = 1 AND id = :conversation
    RETURNING id
), message AS (
    INSERT INTO yardstick.messages
        (account_id, conversation_id, message_type, content, attributes, private, sender_id, created_at)
    SELECT 1, id, 1, 'Could you send me the invoice again?', '{}', false, 7, now() FROM conversation
    RETURNING id, conversation_id
)
INSERT INTO yardstick.events (account_id, name, conversation_id, message_id, snapshot, created_at)
SELECT 1, 'message_created', conversation_id, id,
    '{"message": {"id": 1, "account_id": 1, "inbox_id": 1, "conversation_id": 1, "message_type": 1, "content_type": "text", "content": "Could you send me the invoice again?", "content_attributes": {}, "private": false, "status": "sent", "source_id": null, "sender": {"type": "user", "id": 7, "name": "Agent 7", "available_name": "Agent 7", "email": "agent7@example.com"}, "created_at": 1741064767.123456}, "conversation": {"id": 1, "status": "open", "contact": {"id": 1, "name": "Rosa Lind 1", "email": "rosa1@example.net"}, "labels": ["billing"]}}',
    now()
FROM message;
