-- Bots that are told and answer, and what platform apps may touch.

SET LOCAL lock_timeout = '5s';

-- Bots of the installation, known in every account: there each has a row in agent_bots, with the same id.
-- owner: agent_bots
CREATE TABLE system_bots (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    description text,
    outgoing_url text,
    bot_config jsonb NOT NULL DEFAULT '{}',
    avatar_key text,
    secret bytea NOT NULL,
    access_token bytea NOT NULL,
    access_token_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Of a bot of the installation the address, the secret and the token stand in system_bots alone. Bots of before have
-- neither until they are given them.
-- owner: agent_bots
ALTER TABLE agent_bots
    ADD COLUMN outgoing_url text,
    ADD COLUMN bot_config jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN avatar_key text,
    ADD COLUMN secret bytea,
    ADD COLUMN access_token bytea,
    ADD COLUMN access_token_id bigint,
    ADD COLUMN system_bot_id bigint REFERENCES system_bots (id) ON DELETE CASCADE,
    ADD CHECK (system_bot_id IS NULL OR system_bot_id = id);
CREATE INDEX agent_bots_of_installation ON agent_bots (system_bot_id) WHERE system_bot_id IS NOT NULL;

-- Which bot answers first in an inbox.
-- owner: agent_bots
CREATE TABLE agent_bot_inboxes (
    account_id bigint NOT NULL,
    inbox_id bigint NOT NULL,
    agent_bot_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, inbox_id),
    FOREIGN KEY (account_id, inbox_id) REFERENCES inboxes (account_id, id) ON DELETE CASCADE,
    FOREIGN KEY (account_id, agent_bot_id) REFERENCES agent_bots (account_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_bot_inboxes_by_bot ON agent_bot_inboxes (account_id, agent_bot_id);

-- What an operator's app made, or was let at.
-- owner: platform_api
CREATE TABLE permissible_objects (
    platform_app_id bigint NOT NULL REFERENCES platform_apps (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('user', 'account', 'agent_bot')),
    object_id bigint NOT NULL,
    -- Whom an app only found by their address, it may show, but not act for.
    is_made boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (platform_app_id, kind, object_id)
);
CREATE INDEX permissible_objects_by_object ON permissible_objects (kind, object_id);

-- The one token an app has for each person it made; the app alone reads it again.
-- owner: platform_api
CREATE TABLE platform_user_tokens (
    platform_app_id bigint NOT NULL REFERENCES platform_apps (id) ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    access_token_id bigint NOT NULL,
    access_token bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (platform_app_id, user_id)
);

-- What an operator allows an account: agents, inboxes. Nothing is counted against it here.
ALTER TABLE accounts ADD COLUMN limits jsonb NOT NULL DEFAULT '{}';

-- Tokens of the services and bots of an account.
CREATE INDEX access_tokens_by_account ON access_tokens (account_id, id) WHERE account_id IS NOT NULL;
