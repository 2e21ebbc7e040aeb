"""What an identity hash proves: the business, which alone has the key, knows this user by this identifier."""

from __future__ import annotations

import hmac

from criachat.client_api.errors import ProofInvalid
from criachat.client_api.schemas import ProofParams
from criachat.inboxes.models import Inbox, hmac_context
from criachat.kit.tokens import Keyring


def proved_identifier(keyring: Keyring, inbox: Inbox, params: ProofParams) -> str | None:
    """The identifier the caller has proved, to the letter; None when nothing was to be proved. The rest is refused."""
    claimed, given = params.identifier or "", params.identifier_hash or ""
    if not given.strip() and not inbox.hmac_mandatory:
        return None
    if inbox.hmac_token is None or not claimed.strip():
        raise ProofInvalid
    key = keyring.open(inbox.hmac_token, context=hmac_context(inbox.channel_id))
    expected = hmac.new(key.encode(), claimed.encode(), "sha256").hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise ProofInvalid
    return claimed
