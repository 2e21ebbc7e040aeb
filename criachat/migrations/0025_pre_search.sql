-- What is added to an index of trigrams waits in a list until there are four megabytes of it, and is then filed by whoever
-- comes next: for a tenth of a second, in which nobody on the server reads the log of events any further. A shorter
-- list is filed more often, and each search has less to read through.
DO $$
BEGIN
    IF to_regclass('message_words_anywhere') IS NOT NULL THEN
        ALTER INDEX message_words_anywhere SET (gin_pending_list_limit = 256);
    END IF;
END
$$;
