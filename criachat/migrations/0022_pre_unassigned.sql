-- A conversation that loses its assignee, its bot or its team is another version of itself.

SET lock_timeout = '5s';

-- Whoever leaves the account, and a bot or a team that is removed, go out of conversations by their foreign keys, which
-- know of no versions: whoever holds the ETag of before would write over what is different by now.
CREATE FUNCTION conversation_let_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 millisecond');
    RETURN NEW;
END
$$;
CREATE TRIGGER let_go BEFORE UPDATE OF assignee_id, assignee_agent_bot_id, team_id ON conversations
    FOR EACH ROW WHEN (
        NEW.version = OLD.version
        AND (OLD.assignee_id, OLD.assignee_agent_bot_id, OLD.team_id)
            IS DISTINCT FROM (NEW.assignee_id, NEW.assignee_agent_bot_id, NEW.team_id)
    )
    EXECUTE FUNCTION conversation_let_go();
