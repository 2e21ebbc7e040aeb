from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from apps import open_app
from harness import Api, Given

from criachat.kit import clock
from criachat.kit.jobs import JobContext
from criachat.search.jobs import forget_words, keep_words


async def context_of(given: Given) -> JobContext:
    parts = given.world.parts
    return JobContext(database=parts.database, outside=parts.outside, files=parts.files, settings=parts.settings)


async def kept(given: Given) -> None:
    """The job that keeps words has run."""
    await keep_words(await context_of(given))


async def found(api: Api, what: str, q: str, **params: Any) -> list[Any]:
    reply = await api.get(f"/search/{what}", params={"q": q, **params})
    assert reply.status == 200, reply.body
    assert list(reply.json) == ["payload"]
    assert list(reply.json["payload"]) == [what]
    return reply.json["payload"][what]


async def contents(api: Api, q: str, **params: Any) -> list[str]:
    return [each["content"] for each in await found(api, "messages", q, **params)]


async def test_messages_are_found_by_what_they_say_newest_first(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    first = await given.message(conversation, "Where is my ORDER?", message_type="incoming")
    note = await given.message(conversation, "order A-99 is late", private=True)
    await given.message(conversation, "Good morning")
    activity = await given.message(conversation, "Reordered", message_type="activity")

    for _ in range(2):
        hits = await found(api, "messages", " oRder ")
        assert [each["id"] for each in hits] == [activity["id"], note["id"], first["id"]]
        assert hits[2] == first
        await kept(given)


@pytest.mark.parametrize("is_kept", [False, True])
@pytest.mark.parametrize(
    ("said", "sought", "is_found"),
    [
        ("Onde está o cartão?", "CARTAO", True),
        ("Onde esta o cartao?", "cartão", True),
        ("50% off", "0%", True),
        ("500 off", "0%", False),
        ("snake_case", "e_c", True),
        ("snakescase", "e_c", False),
        ("back\\slash", "k\\s", True),
        ("日本語です", "本語", True),
        ("ab", "b", True),
        ("ab", "ac", False),
    ],
)
async def test_words_are_found_as_they_stand_whatever_accents_they_bear(
    api: Api,
    given: Given,
    said: str,
    sought: str,
    is_found: bool,  # noqa: FBT001
    is_kept: bool,  # noqa: FBT001
) -> None:
    await given.message(await given.conversation(), said)
    if is_kept:
        await kept(given)

    assert await contents(api, sought) == ([said] if is_found else [])


async def test_pages_have_fifteen_and_the_last_one_less(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    said = [(await given.message(conversation, f"Order {number}"))["content"] for number in range(32)][::-1]
    await kept(given)

    pages = [await contents(api, "order", page=page) for page in (1, 2, 3, 4)]

    assert pages == [said[:15], said[15:30], said[30:], []]
    assert await contents(api, "order", page="x") == said[:15]
    assert await contents(api, "") == said[:15]


async def test_a_page_that_is_not_full_has_what_is_kept_and_what_was_said_since(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    old = await given.message(conversation, "The rarest zebra")
    await kept(given)
    fresh = await given.message(conversation, "One more zebra")

    assert await contents(api, "zebra") == [fresh["content"], old["content"]]
    assert await contents(api, "rarest") == [old["content"]]


async def test_only_the_last_three_months_are_looked_through(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    await given.message(conversation, "Old order")
    clock.travel(timedelta(days=91))
    await given.message(conversation, "New order")
    await kept(given)
    both = await contents(api, "order")
    clock.travel(timedelta(days=2))

    after = await contents(api, "order")
    await forget_words(await context_of(given))

    assert both == ["New order", "Old order"]
    assert after == await contents(api, "order") == ["New order"]


async def test_what_was_taken_back_is_not_found_any_more(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    secret = await given.message(conversation, "My card is 4711")
    await kept(given)

    await api.delete(f"/conversations/{conversation['id']}/messages/{secret['id']}")

    assert await contents(api, "4711") == []
    assert await contents(api, "was deleted") == ["This message was deleted"]


async def test_what_went_with_its_contact_is_not_found_any_more(api: Api, given: Given) -> None:
    contact = await given.contact()
    await given.message(await given.conversation(contact=contact), "My card is 4711")
    await kept(given)

    assert (await api.delete(f"/contacts/{contact['id']}")).status == 200

    assert await contents(api, "4711") == []
    async with given.world.parts.database.reading() as db:
        left = await db.fetch_value("SELECT count(*) FROM message_words WHERE account_id = $1", given.account_id)
    assert left == 0


async def test_words_are_kept_once_however_often_the_job_runs(api: Api, given: Given) -> None:
    await given.message(await given.conversation(), "Order")

    for _ in range(3):
        await kept(given)
        clock.travel(timedelta(minutes=4))

    assert await contents(api, "order") == ["Order"]


async def test_agents_find_what_is_in_their_inboxes(api: Api, given: Given) -> None:
    ours, theirs = await given.inbox("Ours"), await given.inbox("Theirs")
    ana = api.acting_as(await given.agent("Ana", inbox=ours))
    rosa = await given.contact("Rosa Lind")
    for inbox in (ours, theirs):
        await given.message(await given.conversation(inbox=inbox, contact=rosa), f"Order in {inbox['name']}")

    for _ in range(2):
        assert await contents(ana, "order") == ["Order in Ours"]
        assert await contents(api, "order") == ["Order in Theirs", "Order in Ours"]
        assert [each["inbox"]["name"] for each in await found(ana, "conversations", "rosa")] == ["Ours"]
        assert [each["inbox"]["name"] for each in await found(api, "conversations", "rosa")] == ["Theirs", "Ours"]
        assert len(await found(ana, "contacts", "rosa")) == 1
        await kept(given)


@pytest.mark.parametrize(
    ("permissions", "shown"),
    [
        (["conversation_manage"], ["of Davi", "nobody's", "mine"]),
        (["conversation_unassigned_manage"], ["nobody's", "mine"]),
        (["conversation_participating_manage"], ["mine"]),
        (["report_manage"], []),
    ],
)
async def test_a_custom_role_finds_what_its_lists_show(
    api: Api, given: Given, permissions: list[str], shown: list[str]
) -> None:
    inbox = await given.inbox()
    ana, davi = await given.agent("Ana", inbox=inbox), await given.agent("Davi", inbox=inbox)
    await given.custom_role(*permissions, of=ana)
    rosa = await given.contact("Rosa Lind")
    of = {
        "mine": await given.conversation(inbox=inbox, contact=rosa, assignee_id=ana.id),
        "nobody's": await given.conversation(inbox=inbox, contact=rosa),
        "of Davi": await given.conversation(inbox=inbox, contact=rosa, assignee_id=davi.id),
    }
    for name, conversation in of.items():
        await given.message(conversation, f"Order {name}")
    door = api.acting_as(ana)

    for _ in range(2):
        assert await contents(door, "order") == [f"Order {name}" for name in shown]
        assert [each["id"] for each in await found(door, "conversations", "rosa")] == [of[name]["id"] for name in shown]
        everything = (await door.get("/search?q=order")).json["payload"]
        assert [each["content"] for each in everything["messages"]] == [f"Order {name}" for name in shown]
        await kept(given)


async def test_a_conversation_is_shown_whole(api: Api, given: Given) -> None:
    inbox = await given.inbox("Loja")
    ana = await given.agent("Ana", inbox=inbox)
    contact = await given.contact("Rosa Lind", identifier="crm-77", additional_attributes={"city": "Porto"})
    attributes = {"type": "order"}
    conversation = await given.conversation(inbox=inbox, contact=contact, additional_attributes=attributes)
    first = await given.message(conversation, "Where is it?", message_type="incoming")
    await given.message(conversation, "On its way")
    await api.post(f"/conversations/{conversation['id']}/assignments", {"assignee_id": ana.id})

    (hit,) = await found(api, "conversations", "CRM-77")

    assert hit == {
        "id": conversation["id"],
        "account_id": given.account_id,
        "created_at": conversation["created_at"],
        "message": {**first, "sender": hit["message"]["sender"]},
        "contact": {
            "email": contact["email"],
            "id": contact["id"],
            "name": "Rosa Lind",
            "phone_number": None,
            "identifier": "crm-77",
            "additional_attributes": {"city": "Porto"},
            "last_activity_at": hit["contact"]["last_activity_at"],
        },
        "inbox": {
            "id": inbox["id"],
            "channel_id": inbox["channel_id"],
            "name": "Loja",
            "channel_type": "Channel::Api",
        },
        "agent": {"id": ana.id, "available_name": "Ana", "email": ana.email, "name": "Ana", "role": "agent"},
        "additional_attributes": attributes,
    }


@pytest.mark.parametrize("sought", ["ROSA", "sa li", "rosa.lind@", "+5511", "1198888", "crm-7"])
async def test_conversations_and_contacts_are_found_by_who_it_is(api: Api, given: Given, sought: str) -> None:
    details = {"email": "rosa.lind@example.net", "phone_number": "+5511988887777", "identifier": "CRM-77"}
    contact = await given.contact("Rosa Lind", **details)
    other = await given.contact(
        "Noa Pires", email="noa@example.net", additional_attributes={"company_name": "Rosa & Co"}
    )
    conversation = await given.conversation(contact=contact, status="resolved")
    await given.conversation(contact=other)

    assert [each["id"] for each in await found(api, "conversations", sought)] == [conversation["id"]]
    assert [each["id"] for each in await found(api, "contacts", sought)] == [contact["id"]]


async def test_conversations_are_found_by_their_number_newest_first(api: Api, given: Given) -> None:
    contact = await given.contact("Noa Pires", email="noa@example.net")
    numbers = [(await given.conversation(contact=contact))["id"] for _ in range(12)]

    assert [each["id"] for each in await found(api, "conversations", "1")] == [12, 11, 10, 1]
    assert [each["id"] for each in await found(api, "conversations", "12")] == [12]
    assert [each["id"] for each in await found(api, "conversations", "")] == numbers[::-1]


async def test_contacts_come_by_their_last_activity_and_anonymous_ones_not_at_all(api: Api, given: Given) -> None:
    await given.session(await given.inbox(), name="Rosa Anonymous")
    never = await given.contact("Rosa Never")
    rosas = [await open_app(given, name=f"Rosa {number}", email=f"rosa{number}@example.com") for number in range(2)]
    for rosa in rosas:
        await rosa.say(await rosa.conversation(), "Hi")

    names = [each["name"] for each in await found(api, "contacts", "rosa")]

    assert names == ["Rosa 1", "Rosa 0", "Rosa Never"]
    assert (await found(api, "contacts", "never"))[0] == {
        "email": never["email"],
        "id": never["id"],
        "name": "Rosa Never",
        "phone_number": None,
        "identifier": None,
        "additional_attributes": {},
        "last_activity_at": None,
    }


async def test_everything_is_searched_at_once_in_six_statements(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa Lind")
    conversation = await given.conversation(contact=contact)
    said = await given.message(conversation, "Rosa here", message_type="incoming")

    with given.queries(at_most=6):
        reply = await api.get("/search?q=rosa")

    payload = reply.json["payload"]
    assert list(payload) == ["conversations", "contacts", "messages", "articles"]
    (hit,) = payload["conversations"]
    assert (hit["id"], hit["message"]["id"]) == (conversation["id"], said["id"])
    assert "additional_attributes" not in hit
    assert "agent" not in hit
    assert [each["id"] for each in payload["contacts"]] == [contact["id"]]
    assert [each["id"] for each in payload["messages"]] == [said["id"]]
    assert payload["articles"] == []


@pytest.mark.parametrize("what", ["messages", "conversations", "contacts"])
async def test_a_page_takes_three_statements_at_most(api: Api, given: Given, what: str) -> None:
    for number in range(3):
        contact = await given.contact(f"Rosa {number}")
        await given.message(await given.conversation(contact=contact), f"Rosa {number}")

    with given.queries(at_most=3):
        hits = await found(api, what, "rosa")

    assert len(hits) == 3


async def test_a_conversation_without_messages_has_no_message(api: Api, given: Given) -> None:
    await given.conversation(contact=await given.contact("Rosa Lind"))

    (hit,) = await found(api, "conversations", "rosa")

    assert "message" not in hit


async def test_nothing_of_another_account_is_found(api: Api, given: Given) -> None:
    others = await given.another_account()
    await others.message(await others.conversation(contact=await others.contact("Rosa Lind")), "Rosa here")
    await kept(given)

    assert (await api.get("/search?q=rosa")).json["payload"] == {
        "conversations": [],
        "contacts": [],
        "messages": [],
        "articles": [],
    }


async def test_articles_are_found_by_how_their_words_begin_the_best_first(api: Api, given: Given) -> None:
    portal = await given.portal()
    category = await given.category(portal)
    text = await given.article(portal, "Account", content="How to reset a password")
    title = await given.article(portal, "Passwords", content="Steps", category_id=category["id"])
    await given.article(portal, "Delivery", content="Two days")

    found_articles = await found(api, "articles", "PASSW")

    assert [each["id"] for each in found_articles] == [title["id"], text["id"]]
    assert found_articles[0] == {
        "id": title["id"],
        "title": "Passwords",
        "locale": found_articles[0]["locale"],
        "content": "Steps",
        "slug": title["slug"],
        "portal_slug": portal["slug"],
        "account_id": given.account_id,
        "category_name": category["name"],
        "status": "draft",
        "updated_at": found_articles[0]["updated_at"],
    }
    assert await found(api, "articles", "reset deliv") == []
    assert await found(api, "articles", "!!") == []
    assert len(await found(api, "articles", "")) == 3


@pytest.mark.parametrize("path", ["", "/conversations", "/contacts", "/messages", "/articles"])
async def test_people_of_the_account_search_and_nobody_else(api: Api, given: Given, path: str) -> None:
    others = await given.another_account()
    bot, nobody = api.acting_as(await given.bot()), api.acting_as(None)

    for caller in (bot, nobody, others.api.in_account(given.account_id)):
        assert (await caller.get(f"/search{path}?q=a")).status == 401
    for hostile in ("x" * 5_000, "%", "\\", "'; --", "\u202e", "9" * 40):
        reply = await api.get(f"/search{path}", params={"q": hostile, "page": 10**30})
        assert reply.status == 200, reply.body
