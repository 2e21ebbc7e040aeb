-- LD-3: one of the first pages of the open conversations, each with its contact and its last message.
\set page random(0, 3)
SELECT conversations.id, conversations.status, conversations.labels, conversations.attributes, conversations.assignee_id,
    conversations.last_message, conversations.last_activity_at, conversations.created_at, contacts.id, contacts.name,
    contacts.email, contacts.attributes, contacts.created_at
FROM yardstick.conversations
JOIN yardstick.contacts ON contacts.account_id = 1 AND contacts.id = conversations.contact_id
WHERE conversations.account_id = 1 AND conversations.status = 'open'
ORDER BY conversations.last_activity_at DESC, conversations.id DESC
LIMIT 25 OFFSET :page * 25;
