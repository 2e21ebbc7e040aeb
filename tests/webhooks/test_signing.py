"""Receivers can know that a request is ours, in both schemes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

import pytest
from harness import Api, Given
from receivers import Receiver, Told
from standardwebhooks import Webhook, WebhookVerificationError

from criachat.kit import clock


def family_signature(secret: str, told: Told) -> str:
    """What a receiver of the family computes, by its own means."""
    signed = told.headers["X-Chatwoot-Timestamp"].encode() + b"." + told.body
    return "sha256=" + hmac.new(secret.encode("ascii"), signed, hashlib.sha256).hexdigest()


def standard_signature(key: bytes, told: Told) -> str:
    """What the text of Standard Webhooks says, by its own means."""
    signed = f"{told.headers['webhook-id']}.{told.headers['webhook-timestamp']}.".encode() + told.body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def is_signed_with(secret: str, told: Told) -> bool:
    """Whether a library of Standard Webhooks believes it."""
    try:
        Webhook(secret).verify(told.body.decode(), dict(told.headers))
    except WebhookVerificationError:
        return False
    return True


async def test_both_schemes_verify_the_very_bytes_that_came_in(given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    await given.message(await given.conversation(), "Olá, ação — 日本 🎉")

    await given.delivered()

    (told,) = receiver.told
    assert told.headers["X-Chatwoot-Signature"] == family_signature(webhook["secret"], told)
    assert told.headers["webhook-signature"] == standard_signature(webhook["secret"].encode(), told)
    assert is_signed_with(webhook["secret_standard"], told)
    assert base64.b64decode(webhook["secret_standard"].removeprefix("whsec_")) == webhook["secret"].encode()
    assert told.headers["Content-Length"] == str(len(told.body))
    assert told.headers["Content-Type"] == told.headers["Accept"] == "application/json"
    assert told.json["content"] == "Olá, ação — 日本 🎉"


async def test_a_signature_fits_nothing_else(api: Api, given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    other = await given.webhook(f"{receiver.url}/2", "contact_created")
    await given.message(await given.conversation())
    await given.delivered()
    (told,) = [each for each in receiver.told if each.path == "/hook"]

    altered = Told(path=told.path, headers=told.headers, body=told.body.replace(b"message", b"massage"))

    assert is_signed_with(webhook["secret_standard"], told)
    assert not is_signed_with(webhook["secret_standard"], altered)
    assert not is_signed_with(other["secret_standard"], told)
    assert told.headers["X-Chatwoot-Signature"] != family_signature(webhook["secret"], altered)


async def test_an_api_inbox_signs_with_its_own_secret(given: Given, receiver: Receiver) -> None:
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    await given.conversation(inbox=inbox)

    await given.delivered()

    (told,) = receiver.told
    assert told.headers["X-Chatwoot-Signature"] == family_signature(inbox["secret"], told)
    assert told.headers["webhook-signature"] == standard_signature(inbox["secret"].encode(), told)


async def test_the_id_stays_over_all_tries_and_the_time_is_that_of_the_try(
    api: Api, given: Given, receiver: Receiver
) -> None:
    webhook = await given.webhook(receiver.url, "message_created")
    receiver.will_answer(500, 500)
    await given.message(await given.conversation())

    for seconds in (0, 7, 400):
        clock.travel(timedelta(seconds=seconds))
        await given.delivered()

    first, second, third = receiver.told
    ids = {told.headers[name] for told in receiver.told for name in ("webhook-id", "X-Chatwoot-Delivery")}
    assert ids == {(await api.get("/deliveries")).json["deliveries"][0]["id"]}
    assert str(UUID(ids.pop())) == first.headers["webhook-id"]
    times = [int(told.headers["webhook-timestamp"]) for told in receiver.told]
    assert times == [int(told.headers["X-Chatwoot-Timestamp"]) for told in receiver.told]
    assert 7 <= times[1] - times[0] <= 9
    assert 400 <= times[2] - times[1] <= 402
    assert first.body == second.body == third.body
    for told in receiver.told:
        assert told.headers["X-Chatwoot-Signature"] == family_signature(webhook["secret"], told)


async def test_each_receiver_of_an_event_gets_a_delivery_of_its_own(given: Given, receiver: Receiver) -> None:
    await given.webhook(receiver.url, "conversation_created")
    inbox = await given.inbox(channel={"webhook_url": receiver.url})
    await given.conversation(inbox=inbox)

    await given.delivered()

    first, second = receiver.told
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert first.body == second.body


async def test_both_secrets_sign_while_one_takes_the_place_of_the_other(
    api: Api, given: Given, receiver: Receiver
) -> None:
    old = await given.webhook(receiver.url, "message_created")
    conversation = await given.conversation()
    path = f"/webhooks/{old['id']}"

    new = (await api.post(f"{path}/rotate_secret")).json["payload"]["webhook"]
    await given.message(conversation)
    await given.delivered()
    (during,) = receiver.told
    receiver.forget()
    clock.travel(timedelta(hours=24, seconds=1))
    await given.message(conversation)
    await given.delivered()
    (after,) = receiver.told

    # Libraries of Standard Webhooks refuse what is a day from their own clock, so the later one is verified by hand.
    assert is_signed_with(old["secret_standard"], during)
    assert is_signed_with(new["secret_standard"], during)
    assert during.headers["X-Chatwoot-Signature"] == family_signature(new["secret"], during)
    assert during.headers["X-CriaChat-Previous-Signature"] == family_signature(old["secret"], during)
    assert after.headers["X-Chatwoot-Signature"] == family_signature(new["secret"], after)
    assert after.headers["webhook-signature"] == standard_signature(new["secret"].encode(), after)
    assert "X-CriaChat-Previous-Signature" not in after.headers


@pytest.mark.parametrize("overlap_hours", [168, 0])
async def test_an_old_secret_signs_nothing_once_it_is_revoked(
    api: Api, given: Given, receiver: Receiver, overlap_hours: int
) -> None:
    old = await given.webhook(receiver.url, "message_created")
    path = f"/webhooks/{old['id']}"

    await api.post(f"{path}/rotate_secret", {"overlap_hours": overlap_hours})
    if overlap_hours:
        await api.delete(f"{path}/previous_secret")
    await given.message(await given.conversation())
    await given.delivered()

    (told,) = receiver.told
    assert not is_signed_with(old["secret_standard"], told)
    assert "X-CriaChat-Previous-Signature" not in told.headers


async def test_a_secret_is_in_no_table_as_it_is_shown(given: Given, receiver: Receiver) -> None:
    webhook = await given.webhook(receiver.url)

    async with given.world.parts.database.reading() as db:
        stored = await db.fetch_value("SELECT secret FROM webhooks WHERE account_id = $1", given.account_id)

    assert webhook["secret"].encode() not in stored
    assert len(stored) > len(webhook["secret"])
