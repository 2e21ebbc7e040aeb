-- outside a transaction: each batch is one of its own, so that nobody waits long for what it holds.
CALL keep_attributes_of_conversations();
CALL keep_attributes_of_contacts();
DROP PROCEDURE keep_attributes_of_conversations();
DROP PROCEDURE keep_attributes_of_contacts();
CREATE INDEX CONCURRENTLY IF NOT EXISTS contacts_blocked ON contacts (account_id, id) WHERE blocked;
