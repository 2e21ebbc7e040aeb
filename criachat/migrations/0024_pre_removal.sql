-- Who leaves is gone at once; the many conversations that name them let go of them afterwards.

SET lock_timeout = '5s';

-- Conversations refer to these rows instead of to members, teams and bots themselves: a row stays behind when whom it
-- stands for is removed, so that removing somebody does not write 100,000 conversations in one breath. Whoever reads a
-- conversation joins the member, the team and the bot, and sees nobody. A job takes the rest away, and then the row.
-- owner: conversations
CREATE TABLE named_members (
    account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id bigint NOT NULL,
    left_at timestamptz,
    PRIMARY KEY (account_id, user_id)
);
-- owner: conversations
CREATE TABLE named_teams (
    account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    team_id bigint NOT NULL,
    left_at timestamptz,
    PRIMARY KEY (account_id, team_id)
);
-- owner: conversations
CREATE TABLE named_bots (
    account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    agent_bot_id bigint NOT NULL,
    left_at timestamptz,
    PRIMARY KEY (account_id, agent_bot_id)
);
-- Across accounts: who has left is few, and most of the time nobody.
CREATE INDEX named_members_left ON named_members (account_id, user_id) WHERE left_at IS NOT NULL;
CREATE INDEX named_teams_left ON named_teams (account_id, team_id) WHERE left_at IS NOT NULL;
CREATE INDEX named_bots_left ON named_bots (account_id, agent_bot_id) WHERE left_at IS NOT NULL;

INSERT INTO named_members (account_id, user_id) SELECT account_id, user_id FROM account_users;
INSERT INTO named_teams (account_id, team_id) SELECT account_id, id FROM teams;
INSERT INTO named_bots (account_id, agent_bot_id) SELECT account_id, id FROM agent_bots;

-- Whoever comes back waits for a job that is just letting go of them, and is no leaver any more.
CREATE FUNCTION name_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO named_members (account_id, user_id) VALUES (NEW.account_id, NEW.user_id)
    ON CONFLICT (account_id, user_id) DO UPDATE SET left_at = NULL;
    RETURN NULL;
END
$$;
CREATE FUNCTION name_team() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO named_teams (account_id, team_id) VALUES (NEW.account_id, NEW.id)
    ON CONFLICT (account_id, team_id) DO UPDATE SET left_at = NULL;
    RETURN NULL;
END
$$;
CREATE FUNCTION name_bot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO named_bots (account_id, agent_bot_id) VALUES (NEW.account_id, NEW.id)
    ON CONFLICT (account_id, agent_bot_id) DO UPDATE SET left_at = NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER name_member AFTER INSERT ON account_users FOR EACH ROW EXECUTE FUNCTION name_member();
CREATE TRIGGER name_team AFTER INSERT ON teams FOR EACH ROW EXECUTE FUNCTION name_team();
CREATE TRIGGER name_bot AFTER INSERT ON agent_bots FOR EACH ROW EXECUTE FUNCTION name_bot();

-- Take who has left out of so many rows of each kind; how many there were. They are gathered into an array, once: a
-- sub-select that locks may be asked again for each row. What somebody is just writing to is left for
-- later: the last of it goes with the row that stands for who has left.
CREATE FUNCTION let_go_of_member(account bigint, member bigint, at_most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    unassigned bigint;
    uninvolved bigint;
    unmentioned bigint;
BEGIN
    UPDATE conversations SET assignee_id = NULL
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM conversations WHERE account_id = account AND assignee_id = member
        LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS unassigned = ROW_COUNT;
    DELETE FROM conversation_participants
    WHERE account_id = account AND user_id = member AND conversation_id = ANY(ARRAY(
        SELECT conversation_id FROM conversation_participants WHERE account_id = account AND user_id = member
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS uninvolved = ROW_COUNT;
    DELETE FROM mentions
    WHERE account_id = account AND user_id = member AND conversation_id = ANY(ARRAY(
        SELECT conversation_id FROM mentions WHERE account_id = account AND user_id = member
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS unmentioned = ROW_COUNT;
    RETURN unassigned + uninvolved + unmentioned;
END
$$;
CREATE FUNCTION let_go_of_team(account bigint, team bigint, at_most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    let_go bigint;
BEGIN
    UPDATE conversations SET team_id = NULL
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM conversations WHERE account_id = account AND team_id = team
        LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    RETURN let_go;
END
$$;
CREATE FUNCTION let_go_of_bot(account bigint, bot bigint, at_most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    let_go bigint;
BEGIN
    UPDATE conversations SET assignee_agent_bot_id = NULL
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM conversations WHERE account_id = account AND assignee_agent_bot_id = bot
        LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    RETURN let_go;
END
$$;

-- Noted whichever way they go: alone, with a person who is forgotten, or with a bot of the whole installation. Most are
-- named by few, who let go of them in the same breath.
CREATE FUNCTION member_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE named_members SET left_at = clock_timestamp() WHERE account_id = OLD.account_id AND user_id = OLD.user_id;
    PERFORM let_go_of_member(OLD.account_id, OLD.user_id, 25);
    RETURN NULL;
END
$$;
CREATE FUNCTION team_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE named_teams SET left_at = clock_timestamp() WHERE account_id = OLD.account_id AND team_id = OLD.id;
    PERFORM let_go_of_team(OLD.account_id, OLD.id, 25);
    RETURN NULL;
END
$$;
CREATE FUNCTION bot_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE named_bots SET left_at = clock_timestamp() WHERE account_id = OLD.account_id AND agent_bot_id = OLD.id;
    PERFORM let_go_of_bot(OLD.account_id, OLD.id, 25);
    RETURN NULL;
END
$$;
CREATE TRIGGER member_left AFTER DELETE ON account_users FOR EACH ROW EXECUTE FUNCTION member_left();
CREATE TRIGGER team_left AFTER DELETE ON teams FOR EACH ROW EXECUTE FUNCTION team_left();
CREATE TRIGGER bot_left AFTER DELETE ON agent_bots FOR EACH ROW EXECUTE FUNCTION bot_left();

-- What is left when the row goes is what came meanwhile, which is little.
ALTER TABLE conversations
    DROP CONSTRAINT conversations_account_id_assignee_id_fkey,
    DROP CONSTRAINT conversations_account_id_team_id_fkey,
    DROP CONSTRAINT conversations_account_id_assignee_agent_bot_id_fkey,
    ADD FOREIGN KEY (account_id, assignee_id) REFERENCES named_members (account_id, user_id)
        ON DELETE SET NULL (assignee_id),
    ADD FOREIGN KEY (account_id, team_id) REFERENCES named_teams (account_id, team_id)
        ON DELETE SET NULL (team_id),
    ADD FOREIGN KEY (account_id, assignee_agent_bot_id) REFERENCES named_bots (account_id, agent_bot_id)
        ON DELETE SET NULL (assignee_agent_bot_id);
ALTER TABLE conversation_participants
    DROP CONSTRAINT conversation_participants_account_id_user_id_fkey,
    ADD FOREIGN KEY (account_id, user_id) REFERENCES named_members (account_id, user_id) ON DELETE CASCADE;
ALTER TABLE mentions
    DROP CONSTRAINT mentions_account_id_user_id_fkey,
    ADD FOREIGN KEY (account_id, user_id) REFERENCES named_members (account_id, user_id) ON DELETE CASCADE;
