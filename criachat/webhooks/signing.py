"""What a receiver needs to know that a request is ours, in both schemes: the family's and Standard Webhooks."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence


def standard_form(secret: str) -> str:
    """The secret as Standard Webhooks libraries take it; the same key bytes behind `whsec_`."""
    return "whsec_" + base64.b64encode(secret.encode()).decode()


def family_signature(secret: str, *, timestamp: int, body: bytes) -> str:
    """`sha256=<hex>` over timestamp, dot and body, with the secret's text as key."""
    return "sha256=" + hmac.digest(secret.encode(), b"%d.%b" % (timestamp, body), "sha256").hex()


def standard_signature(secret: str, delivery_id: str, *, timestamp: int, body: bytes) -> str:
    """`v1,<base64>` over id, timestamp and body, joined by dots."""
    signed = b"%b.%d.%b" % (delivery_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(secret.encode(), signed, "sha256")).decode()


def headers(secrets: Sequence[str], delivery_id: str, *, timestamp: int, body: bytes) -> dict[str, str]:
    """Identity, time and signatures of one try. The first secret is the current one.

    While a secret is being rotated the one before signs as well: as a further signature of Standard Webhooks, and in a
    header of its own beside the family's, which has room for one.
    """
    signed = {
        "X-Chatwoot-Delivery": delivery_id,
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
    }
    if not secrets:
        return signed
    signed["X-Chatwoot-Timestamp"] = str(timestamp)
    signed["X-Chatwoot-Signature"] = family_signature(secrets[0], timestamp=timestamp, body=body)
    if len(secrets) > 1:
        signed["X-CriaChat-Previous-Signature"] = family_signature(secrets[1], timestamp=timestamp, body=body)
    signed["webhook-signature"] = " ".join(
        standard_signature(secret, delivery_id, timestamp=timestamp, body=body) for secret in secrets
    )
    return signed
