"""Where the client API is: each path says whose it is, since knowing the two identifiers is the credential."""

from __future__ import annotations

INBOX = "/public/api/v1/inboxes/{inbox_identifier}"
CONTACTS = INBOX + "/contacts"
CONTACT = CONTACTS + "/{contact_identifier}"
CONVERSATIONS = CONTACT + "/conversations"
CONVERSATION = CONVERSATIONS + "/{conversation_id}"
MESSAGES = CONVERSATION + "/messages"
