"""Searches against the contract: every endpoint and every refusal, key by key."""

from __future__ import annotations

from typing import Any

from harness import Api, Given
from shapes import misfits, one_of, unix

text_or_null = one_of(str, None)
CONTACT: dict[str, Any] = {
    "email": text_or_null,
    "id": int,
    "name": text_or_null,
    "phone_number": text_or_null,
    "identifier": text_or_null,
    "additional_attributes": dict,
    "last_activity_at": one_of(unix, None),
}
MESSAGE: dict[str, Any] = {
    "id": int,
    "content": text_or_null,
    "inbox_id": int,
    "conversation_id": int,
    "message_type": int,
    "content_type": str,
    "status": str,
    "content_attributes": dict,
    "created_at": unix,
    "private": bool,
    "source_id": text_or_null,
    "sender?": dict,
    "attachments?": [dict],
}
CONVERSATION: dict[str, Any] = {
    "id": int,
    "account_id": int,
    "created_at": unix,
    "message?": MESSAGE,
    "contact": CONTACT,
    "inbox": {"id": int, "channel_id": int, "name": str, "channel_type": str},
    "agent?": {"id": int, "available_name": str, "email": str, "name": str, "role": str},
}
ARTICLE: dict[str, Any] = {
    "id": int,
    "title": str,
    "locale": str,
    "content": str,
    "slug": str,
    "portal_slug": str,
    "account_id": int,
    "category_name": text_or_null,
    "status": one_of("draft", "published", "archived"),
    "updated_at": unix,
}


async def test_each_search_has_its_kind_and_the_whole_one_all(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox, contact=await given.contact("Rosa Lind"))
    await given.message(conversation, "Rosa here", message_type="incoming")
    await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": ana.id})
    await given.article(await given.portal(), "Rosa's roses")
    alone = {**CONVERSATION, "additional_attributes": dict}
    kinds: dict[str, Any] = {"conversations": alone, "contacts": CONTACT, "messages": MESSAGE, "articles": ARTICLE}

    for kind, shape in kinds.items():
        reply = await api.get(f"/search/{kind}?q=rosa&page=1")
        assert reply.status == 200
        assert misfits(reply.json, {"payload": {kind: [shape]}}) == []
        assert reply.json["payload"][kind]
    everything = (await api.get("/search?q=rosa")).json
    shapes = {kind: [shape] for kind, shape in {**kinds, "conversations": CONVERSATION}.items()}
    assert misfits(everything, {"payload": shapes}) == []
    assert "agent" in everything["payload"]["conversations"][0]


async def test_refusals(api: Api, given: Given) -> None:
    bot, nobody = api.acting_as(await given.bot()), api.acting_as(None)

    for path in ("/search", "/search/conversations", "/search/contacts", "/search/messages", "/search/articles"):
        refused, unknown = await bot.get(path), await nobody.get(path)
        assert (refused.status, misfits(refused.json, {"error": str})) == (401, [])
        assert (unknown.status, misfits(unknown.json, {"errors": [str]})) == (401, [])
