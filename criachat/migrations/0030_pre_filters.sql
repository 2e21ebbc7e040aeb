-- outside a transaction: each batch is one of its own, so that nobody waits long for what it holds. All of it may run again.
CALL keep_attributes_of_conversations();
CALL keep_attributes_of_contacts();
DROP INDEX CONCURRENTLY IF EXISTS contacts_blocked;
CREATE INDEX CONCURRENTLY contacts_blocked ON contacts (account_id, id) WHERE blocked;
