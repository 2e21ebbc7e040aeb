-- LD-2: the newest 20 messages of a conversation.
\set conversation random(1, :busy)
SELECT id, message_type, content, attributes, private, sender_id, created_at
FROM yardstick.messages
WHERE account_id = 1 AND conversation_id = :conversation
ORDER BY id DESC
LIMIT 20;
