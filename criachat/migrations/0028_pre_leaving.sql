-- Who leaves is gone at once; survey answers, notes, notifications and articles let go of them afterwards too.

SET lock_timeout = '5s';

-- As before, and of what else may name a member very often. Whoever reads an answer, a note, a notification or an article
-- looks for its member, and finds none.
CREATE OR REPLACE FUNCTION let_go_of_member(account bigint, member bigint, at_most bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    let_go bigint;
    total bigint := 0;
BEGIN
    UPDATE conversations SET assignee_id = NULL
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM conversations WHERE account_id = account AND assignee_id = member
        LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    total := total + let_go;
    DELETE FROM conversation_participants
    WHERE account_id = account AND user_id = member AND conversation_id = ANY(ARRAY(
        SELECT conversation_id FROM conversation_participants WHERE account_id = account AND user_id = member
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    total := total + let_go;
    DELETE FROM mentions
    WHERE account_id = account AND user_id = member AND conversation_id = ANY(ARRAY(
        SELECT conversation_id FROM mentions WHERE account_id = account AND user_id = member
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    total := total + let_go;
    DELETE FROM notifications
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM notifications WHERE account_id = account AND user_id = member
        LIMIT at_most FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    total := total + let_go;
    UPDATE csat_survey_responses SET assigned_agent_id = NULL
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM csat_survey_responses WHERE account_id = account AND assigned_agent_id = member
        LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    total := total + let_go;
    UPDATE notes SET user_id = NULL
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM notes WHERE account_id = account AND user_id = member
        LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    total := total + let_go;
    UPDATE articles SET author_id = NULL
    WHERE account_id = account AND id = ANY(ARRAY(
        SELECT id FROM articles WHERE account_id = account AND author_id = member
        LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS let_go = ROW_COUNT;
    RETURN total + let_go;
END
$$;

-- What is left when the row goes is what came meanwhile, which is little.
ALTER TABLE csat_survey_responses
    DROP CONSTRAINT csat_survey_responses_account_id_assigned_agent_id_fkey,
    ADD FOREIGN KEY (account_id, assigned_agent_id) REFERENCES named_members (account_id, user_id)
        ON DELETE SET NULL (assigned_agent_id);
ALTER TABLE notes
    DROP CONSTRAINT notes_account_id_user_id_fkey,
    ADD FOREIGN KEY (account_id, user_id) REFERENCES named_members (account_id, user_id)
        ON DELETE SET NULL (user_id);
ALTER TABLE articles
    DROP CONSTRAINT articles_account_id_author_id_fkey,
    ADD FOREIGN KEY (account_id, author_id) REFERENCES named_members (account_id, user_id)
        ON DELETE SET NULL (author_id);
ALTER TABLE notifications
    DROP CONSTRAINT notifications_account_id_user_id_fkey,
    ADD FOREIGN KEY (account_id, user_id) REFERENCES named_members (account_id, user_id) ON DELETE CASCADE;
