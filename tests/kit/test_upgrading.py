"""What conversations and contacts had before lines were kept of it is found after an upgrade."""

from __future__ import annotations

from criachat.kit.db import Connection, Database
from criachat.kit.migrate import CREATE_HISTORY, INSERT_APPLIED, migrate, migrations

LINES_CAME_WITH = "0029_pre_filters"
FORGET = "DELETE FROM schema_migrations WHERE name = '0030_pre_filters'"
LOSE_SOME = "DELETE FROM conversation_attributes WHERE conversation_id % 3 = 0"
# More than two batches, of two accounts, and whatever may stand where attributes are expected.
FILL = """
INSERT INTO accounts (id, name, features, created_at, updated_at)
SELECT id, 'Loja Azul', '{}', now(), now() FROM generate_series(1, 2) AS id;
INSERT INTO inboxes (account_id, id, channel_id, channel_type, name, working_hours, created_at, updated_at)
SELECT id, id, id, 'Channel::Api', id, '[]', now(), now() FROM accounts;
INSERT INTO contacts (account_id, id, name, labels, custom_attributes, additional_attributes, created_at, updated_at)
SELECT 1 + id % 2, id, id, CASE WHEN id % 3 = 0 THEN '{vip}'::text[] ELSE '{}' END,
    CASE WHEN id % 5 = 0 THEN '[1, "gold"]' WHEN id % 7 = 0 THEN 'null'
        ELSE jsonb_build_object('Plan', 'Gold ' || id, 'seats', id, 'none', NULL, repeat('k', 256), 1) END,
    jsonb_build_object('city', repeat('São Paulo ', 1 + id % 40), 'company', '', 'browser', 'x'), now(), now()
FROM generate_series(1, 1300) AS id;
INSERT INTO contact_inboxes (account_id, id, contact_id, inbox_id, source_id, pubsub_token, created_at, updated_at)
SELECT account_id, id, id, account_id, id, id, now(), now() FROM contacts;
INSERT INTO conversations (account_id, id, display_id, inbox_id, contact_id, contact_inbox_id, priority, labels,
    campaign_id, custom_attributes, additional_attributes, last_activity_at, created_at, updated_at)
SELECT account_id, id, id, account_id, id, id, CASE WHEN id % 4 = 0 THEN id % 3 END, labels,
    CASE WHEN id % 6 = 0 THEN id END, custom_attributes, '{"mail_subject": "Pedido", "referer": 7}', now(), now(), now()
FROM contacts;
"""
CONVERSATION_LINES = """
(TABLE conversation_attributes EXCEPT ALL
    SELECT account_id, id, line.* FROM conversations CROSS JOIN LATERAL lines_of(conversations) AS line)
UNION ALL
(SELECT account_id, id, line.* FROM conversations CROSS JOIN LATERAL lines_of(conversations) AS line
    EXCEPT ALL TABLE conversation_attributes)
"""
CONTACT_LINES = """
(TABLE contact_attributes EXCEPT ALL
    SELECT account_id, id, line.* FROM contacts CROSS JOIN LATERAL lines_of(contacts) AS line)
UNION ALL
(SELECT account_id, id, line.* FROM contacts CROSS JOIN LATERAL lines_of(contacts) AS line
    EXCEPT ALL TABLE contact_attributes)
"""
COUNTS = """
SELECT (SELECT count(*) FROM conversation_attributes WHERE attribute = 'custom.Plan' AND value LIKE 'gold %') AS plans,
    (SELECT count(*) FROM conversation_attributes WHERE attribute = 'campaign') AS campaigns,
    (SELECT count(sorted) FROM contact_attributes WHERE attribute = 'additional.city') AS cities,
    (SELECT count(*) FROM contact_attributes WHERE attribute = 'labelled') AS labelled,
    (SELECT sum(difference)::bigint FROM marked_counts WHERE mark = 'label vip') AS vips,
    (SELECT sum(difference)::bigint FROM marked_counts WHERE mark LIKE 'priority _') AS priorities
"""


async def test_what_was_there_before_is_found_after_an_upgrade(fresh_database: str) -> None:
    connection = await Database(fresh_database).connect()
    await apply_until(connection, LINES_CAME_WITH)
    await connection.execute(FILL)

    await migrate(connection)
    wrong = [*await connection.fetch(CONVERSATION_LINES), *await connection.fetch(CONTACT_LINES)]
    counts = await connection.fetchrow(COUNTS)
    await connection.close()

    plain = [number for number in range(1, 1301) if number % 5 and number % 7]
    assert wrong == []
    assert dict(counts or {}) == {
        "plans": len(plain),
        "campaigns": 216,
        "cities": 1300,
        "labelled": 433,
        "vips": 433,
        "priorities": 325,
    }


async def test_an_upgrade_that_died_half_way_goes_on(fresh_database: str) -> None:
    connection = await Database(fresh_database).connect()
    await apply_until(connection, LINES_CAME_WITH)
    await connection.execute(FILL)
    await migrate(connection)
    await connection.execute(LOSE_SOME)
    await connection.execute(FORGET)

    await migrate(connection)
    wrong = [*await connection.fetch(CONVERSATION_LINES), *await connection.fetch(CONTACT_LINES)]
    await connection.close()

    assert wrong == []


async def apply_until(connection: Connection, name: str) -> None:
    """Bring the database to where it was before this migration."""
    await connection.execute(CREATE_HISTORY)
    for migration in migrations():
        if migration.name < name:
            await connection.execute(migration.sql)
            await connection.execute(INSERT_APPLIED, migration.name)
