-- Somebody who is to be forgotten is nobody's any more from that moment on, though their rows take a while to go.

SET lock_timeout = '5s';

ALTER TABLE users ADD COLUMN removed_at timestamptz;
