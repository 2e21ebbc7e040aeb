-- What is added to an index of trigrams waits in a list until that is long, and is then filed by whoever comes next: in
-- the transaction of a batch, as long as which nobody on the server reads the log of events any further. The job files
-- it itself, outside of any; the list gets that long only when the job is away.
DO $$
BEGIN
    IF to_regclass('message_words_anywhere') IS NOT NULL THEN
        ALTER INDEX message_words_anywhere SET (gin_pending_list_limit = 65536);
    END IF;
END
$$;
