-- What may show somebody who is gone, or holds a secret of somebody outside, goes in time.

SET lock_timeout = '5s';

-- Since when the file may show somebody who is gone: what of it could not be taken in is shown to nobody.
-- owner: contacts
ALTER TABLE contact_imports ADD COLUMN withdrawn_at timestamptz;

-- When it was last told of something, give or take a day. Whatever old code writes meanwhile was told just now.
-- owner: conversations
ALTER TABLE told_addresses ADD COLUMN told_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX told_addresses_by_telling ON told_addresses (told_at);
