"""How people want to be told, and on which browsers and phones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import msgspec

from criachat.kit.db import Tx
from criachat.kit.errors import Invalid
from criachat.kit.outside import check_url
from criachat.kit.tokens import Keyring
from criachat.notifications.errors import FlagsInvalid, SubscriptionInvalid, SubscriptionTypeUnknown
from criachat.notifications.models import EMAIL_FLAGS, PUSH_FLAGS, Flags, Subscription
from criachat.notifications.queries import wishes
from criachat.notifications.schemas import FlagsParams, SubscriptionParams

BROWSER: Final = "browser_push"
PHONE: Final = "fcm"
IDENTIFIED_BY: Final = {BROWSER: "endpoint", PHONE: "device_id"}
# fmt: off
ATTRIBUTES: Final = {
    BROWSER: ("endpoint", "p256dh", "auth"),
    PHONE: ("device_id", "push_token", "deviceName", "devicePlatform", "apiLevel", "brandName", "buildNumber"),
}
# fmt: on
LONGEST_ATTRIBUTE: Final = 4096


async def set_flags(tx: Tx, flags: Flags, params: FlagsParams) -> Flags:
    """Have the member told so from now on. A list that is not sent is an empty one."""
    changed = msgspec.structs.replace(
        flags,
        email_flags=_chosen(params.selected_email_flags, EMAIL_FLAGS),
        push_flags=_chosen(params.selected_push_flags, PUSH_FLAGS),
    )
    await wishes.save_flags(tx, changed)
    return changed


async def subscribe(
    tx: Tx, keyring: Keyring, user_id: int, params: SubscriptionParams
) -> tuple[Subscription, dict[str, str]]:
    """Have this browser or phone told what concerns the person, and nobody else who was signed in there before."""
    kind = params.subscription_type
    if not isinstance(kind, str) or kind not in IDENTIFIED_BY:
        raise SubscriptionTypeUnknown
    attributes = _attributes(params.subscription_attributes, ATTRIBUTES[kind])
    identifier = attributes.get(IDENTIFIED_BY[kind], "")
    _check(kind, identifier)
    digest, *older = keyring.digests(identifier)
    if older:
        await wishes.rename_subscription(tx, digest, older)
    token = attributes.get("push_token")
    sealed = keyring.seal(msgspec.json.encode(attributes).decode(), context=context_of(digest))
    subscription = await wishes.upsert_subscription(
        tx,
        user_id,
        kind,
        digest=digest,
        token_digest=None if token is None else keyring.digest(token),
        attributes=sealed,
    )
    await wishes.delete_oldest_subscriptions(tx, user_id)
    return subscription, attributes


async def unsubscribe(tx: Tx, keyring: Keyring, user_id: int, push_token: str | None) -> None:
    """Tell the person nothing any more on the phone with this token; an unknown one changes nothing."""
    if push_token:
        await wishes.delete_subscription(tx, user_id, keyring.digests(push_token))


def context_of(digest: bytes) -> str:
    """What a subscription's attributes are sealed for."""
    return f"notification_subscriptions.attributes:{digest.hex()}"


def _chosen(sent: object, known: Sequence[str]) -> list[str]:
    """The flags that were sent, in the order in which everybody is shown them."""
    if not (isinstance(sent, list) or sent in (None, "")):
        raise FlagsInvalid
    names = cast(list[Any], sent or [])
    if not all(name in known for name in names):
        raise FlagsInvalid
    return [name for name in known if name in names]


def _attributes(sent: object, names: Sequence[str]) -> dict[str, str]:
    """What is kept of a browser or phone."""
    values = cast(dict[str, Any], sent) if isinstance(sent, dict) else {}
    texts = {name: values[name] for name in names if values.get(name) is not None}
    if not all(isinstance(text, str | int) for text in texts.values()):
        raise SubscriptionInvalid
    attributes = {name: str(text) for name, text in texts.items()}
    if any(len(text) > LONGEST_ATTRIBUTE for text in attributes.values()):
        raise SubscriptionInvalid
    return attributes


def _check(kind: str, identifier: str) -> None:
    if not identifier.strip():
        raise SubscriptionInvalid
    if kind == BROWSER:
        try:
            check_url(identifier)
        except Invalid as refusal:
            raise SubscriptionInvalid from refusal
