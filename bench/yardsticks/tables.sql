-- The tables of the yardsticks: a platform of conversations, plain, with an index for each way in which the API lists
-- them and none more. They are not the application's: what its schema costs beyond this is seen in the ratio.
CREATE SCHEMA yardstick;

CREATE TABLE yardstick.contacts (
    account_id bigint NOT NULL,
    id bigint NOT NULL,
    name text NOT NULL,
    email text,
    attributes jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE TABLE yardstick.conversations (
    account_id bigint NOT NULL,
    id bigint NOT NULL,
    inbox_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    assignee_id bigint,
    team_id bigint,
    status text NOT NULL,
    priority smallint,
    labels text[] NOT NULL,
    attributes jsonb NOT NULL,
    last_message json NOT NULL,
    last_activity_at timestamptz NOT NULL,
    waiting_since timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, contact_id) REFERENCES yardstick.contacts (account_id, id)
) WITH (fillfactor = 80);
CREATE TABLE yardstick.messages (
    account_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    conversation_id bigint NOT NULL,
    message_type smallint NOT NULL,
    content text NOT NULL,
    attributes jsonb NOT NULL,
    private boolean NOT NULL,
    sender_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, id),
    FOREIGN KEY (account_id, conversation_id) REFERENCES yardstick.conversations (account_id, id)
);
CREATE TABLE yardstick.events (
    account_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    name text NOT NULL,
    conversation_id bigint NOT NULL,
    message_id bigint NOT NULL,
    snapshot json NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, id)
);
CREATE INDEX ON yardstick.events (account_id, xid, id);

-- As many conversations as the application's data set has, 40 messages in each of the busy ones; the indexes come last,
-- because that is quicker.
INSERT INTO yardstick.contacts
SELECT 1, number, 'Rosa Lind ' || number, 'rosa' || number || '@example.net', '{"plan": "gold"}', now()
FROM generate_series(1, :conversations / 2 + 1) AS number;

INSERT INTO yardstick.conversations (account_id, id, inbox_id, contact_id, assignee_id, team_id, status, priority, labels,
    attributes, last_message, last_activity_at, waiting_since, created_at)
SELECT 1, number, number % 3, number / 2 + 1, CASE WHEN number % 5 < 3 THEN number % 20 END, number % 4,
    (ARRAY['open', 'open', 'resolved', 'resolved', 'pending'])[1 + number % 5], number % 4, '{billing}',
    '{"browser": "Firefox"}',
    '{"id": 1, "content": "Could you send me the invoice of last month again?", "message_type": 0, "sender_id": 7}',
    now() - number * 7919 % :conversations * interval '31 seconds', now(), now() - number * interval '1 second'
FROM generate_series(1, :conversations) AS number;

INSERT INTO yardstick.messages
    (account_id, conversation_id, message_type, content, attributes, private, sender_id, created_at)
SELECT 1, conversation, number % 2, 'Could you send me the invoice of last month again? Our accountant needs it.', '{}',
    false, 7, now()
FROM generate_series(1, 40) AS number, generate_series(1, :busy) AS conversation;

CREATE INDEX ON yardstick.conversations (account_id, status, last_activity_at DESC, id DESC);
CREATE INDEX ON yardstick.conversations (account_id, inbox_id, status, last_activity_at DESC, id DESC);
CREATE INDEX ON yardstick.conversations (account_id, assignee_id, status, last_activity_at DESC, id DESC);
CREATE INDEX ON yardstick.conversations (account_id, team_id, status, last_activity_at DESC);
CREATE INDEX ON yardstick.conversations (account_id, contact_id, last_activity_at DESC);
CREATE INDEX ON yardstick.conversations (account_id, status, created_at);
CREATE INDEX ON yardstick.conversations (account_id, status, priority DESC NULLS LAST, last_activity_at DESC);
CREATE INDEX ON yardstick.conversations (account_id, status, waiting_since);
CREATE INDEX ON yardstick.conversations USING gin (labels);
CREATE INDEX ON yardstick.messages (account_id, conversation_id, id);
VACUUM (ANALYZE) yardstick.contacts, yardstick.conversations, yardstick.messages, yardstick.events;
