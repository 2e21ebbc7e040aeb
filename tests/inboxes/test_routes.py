from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from harness import BASE_URL, Api, Given, Reply

from criachat.accounts.events import CacheInvalidated
from criachat.inboxes.events import InboxCreated, InboxDeleted, InboxUpdated

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\x00" * 64
MESSAGE = "message"

CLOSED = {
    "closed_all_day": True,
    "open_hour": None,
    "open_minutes": None,
    "close_hour": None,
    "close_minutes": None,
    "open_all_day": False,
}
NINE_TO_FIVE = {
    "closed_all_day": False,
    "open_hour": 9,
    "open_minutes": 0,
    "close_hour": 17,
    "close_minutes": 0,
    "open_all_day": False,
}
WEEK = [{"day_of_week": day, **(CLOSED if day in (0, 6) else NINE_TO_FIVE)} for day in range(7)]
FRESH = {
    "avatar_url": "",
    "name": "Bridge",
    "channel_type": "Channel::Api",
    "greeting_enabled": False,
    "greeting_message": None,
    "working_hours_enabled": False,
    "working_hours": WEEK,
    "out_of_office_message": None,
    "timezone": "UTC",
    "enable_email_collect": True,
    "csat_survey_enabled": False,
    "csat_config": {},
    "enable_auto_assignment": True,
    "auto_assignment_config": {},
    "allow_messages_after_resolved": True,
    "lock_to_single_conversation": False,
    "sender_name_type": "friendly",
    "business_name": None,
    "callback_webhook_url": None,
    "allowed_domains": None,
    "widget_color": None,
    "website_url": None,
    "hmac_mandatory": False,
    "welcome_title": None,
    "welcome_tagline": None,
    "web_widget_script": None,
    "website_token": None,
    "selected_feature_flags": None,
    "reply_time": None,
    "messaging_service_sid": None,
    "phone_number": None,
    "provider": None,
    "webhook_url": None,
    "additional_attributes": {},
    "deduplicate_source_ids": False,
}
MADE = {"id", "channel_id", "inbox_identifier"}
SECRETS = {"hmac_token", "secret"}
NO_INBOX = 999_999_999


def day(number: int, **changes: Any) -> dict[str, Any]:
    return {**WEEK[number], **changes}


async def status(reply: Any) -> int:
    return (await reply).status


async def test_a_new_inbox_has_everything_at_its_default_and_nobody_in_it(api: Api, given: Given) -> None:
    reply = await api.post("/inboxes/", {"name": " Bridge ", "channel": {"type": "api"}})

    assert reply.status == 200
    inbox = reply.json
    assert inbox.keys() == FRESH.keys() | MADE | SECRETS
    assert {name: inbox[name] for name in FRESH} == FRESH
    assert len(inbox["inbox_identifier"]) == len(inbox["hmac_token"]) == 24
    assert len(inbox["secret"]) == 32
    assert (await api.get(f"/inbox_members/{inbox['id']}")).json == {"payload": []}
    (event,) = await given.emitted(InboxCreated)
    assert (event.inbox_id, event.snapshot.name, event.actor_id) == (inbox["id"], "Bridge", given.boss.id)
    assert len(await given.emitted(CacheInvalidated)) == 1


async def test_an_inbox_is_created_with_all_its_settings_at_once(api: Api, given: Given) -> None:
    settings = {
        "greeting_enabled": True,
        "greeting_message": "Olá!",
        "enable_email_collect": False,
        "csat_survey_enabled": True,
        "enable_auto_assignment": False,
        "working_hours_enabled": True,
        "out_of_office_message": "Até amanhã",
        "timezone": "America/Sao_Paulo",
        "allow_messages_after_resolved": False,
        "lock_to_single_conversation": True,
        "sender_name_type": "professional",
        "business_name": "Loja Azul Ltda",
        "auto_assignment_config": {"max_assignment_limit": 5},
    }
    channel = {
        "webhook_url": "https://bridge.example.com/in",
        "hmac_mandatory": True,
        "additional_attributes": {"agent_reply_time_window": 24},
        "deduplicate_source_ids": True,
    }

    inbox = await given.inbox("Bridge", channel=channel, **settings)

    assert {**settings, **channel}.items() <= inbox.items()
    assert (await api.get(f"/inboxes/{inbox['id']}")).json == inbox
    assert len(await given.emitted(InboxCreated)) == 1
    assert await given.emitted(InboxUpdated) == []


async def test_a_survey_is_kept_as_sent_at_first_and_rebuilt_with_defaults_on_a_change(api: Api, given: Given) -> None:
    inbox = await given.inbox(csat_config={"display_type": "star"})

    changed = await api.patch(
        f"/inboxes/{inbox['id']}", {"csat_config": {"message": "E aí?", "survey_rules": {"values": ["vip"]}}}
    )

    assert inbox["csat_config"] == {"display_type": "star"}
    assert changed.json["csat_config"] == {
        "display_type": "emoji",
        "message": "E aí?",
        "button_text": "",
        "language": "en",
        "survey_rules": {"operator": "contains", "values": ["vip"]},
    }


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"name": "App"}, {"message": "Channel must exist", "attributes": ["channel"]}),
        ({"name": "App", "channel": {"type": "pigeon"}}, {"message": "Channel must exist", "attributes": ["channel"]}),
        ({"name": "App", "channel": {}}, {"message": "Channel must exist", "attributes": ["channel"]}),
        ({"channel": {"type": "api"}}, {"message": "Name can't be blank", "attributes": ["name"]}),
        ({"name": "null", "channel": {"type": "api"}}, {"message": "Name can't be blank", "attributes": ["name"]}),
    ],
)
async def test_an_inbox_needs_a_name_and_a_channel_we_know(
    api: Api, given: Given, body: dict[str, Any], answer: dict[str, Any]
) -> None:
    reply = await api.post("/inboxes", body)

    assert (reply.status, reply.json) == (422, answer)
    assert (await api.get("/inboxes")).json == {"payload": []}
    assert await given.emitted(InboxCreated) == []


async def test_what_is_sent_changes_and_the_rest_stays(api: Api, given: Given) -> None:
    inbox = await given.inbox("Bridge", greeting_message="Olá!")
    path = f"/inboxes/{inbox['id']}"

    changed = await api.patch(path, {"name": "Ponte", "greeting_enabled": "true"})
    by_form = await api.call("PUT", path, data={"greeting_message": "null", "business_name": "Loja"})
    again = await api.patch(path, {"name": "Ponte"})

    assert changed.json == {**inbox, "name": "Ponte", "greeting_enabled": True}
    assert by_form.json == again.json == {**changed.json, "greeting_message": None, "business_name": "Loja"}
    first, second = await given.emitted(InboxUpdated)
    assert (first.changes["name"], first.snapshot.name) == (["Bridge", "Ponte"], "Ponte")
    assert second.changes["business_name"] == [None, "Loja"]


async def test_keys_of_other_channels_are_passed_over_and_a_kind_cannot_change(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    reply = await api.patch(
        f"/inboxes/{inbox['id']}",
        {"channel": {"type": "web_widget", "selected_feature_flags": [], "website_url": "https://x.example"}},
    )

    assert (reply.status, reply.json) == (200, inbox)


async def test_attributes_of_the_channel_are_replaced_whole(api: Api, given: Given) -> None:
    inbox = await given.inbox(channel={"additional_attributes": {"a": 1, "agent_reply_time_window": "24"}})

    reply = await api.patch(f"/inboxes/{inbox['id']}", {"channel": {"additional_attributes": {"b": 2}}})

    assert reply.json["additional_attributes"] == {"b": 2}


async def test_days_are_matched_by_their_number_and_keep_what_is_not_sent(api: Api, given: Given) -> None:
    inbox = await given.inbox()

    reply = await api.patch(
        f"/inboxes/{inbox['id']}",
        {
            "working_hours": [
                {"day_of_week": 6, "closed_all_day": False, "open_hour": "10", "open_minutes": "30", "close_hour": 14}
                | {"close_minutes": 0},
                {"day_of_week": "1", "close_hour": 18},
                {"day_of_week": 0, "open_all_day": True, "closed_all_day": False},
            ]
        },
    )

    assert reply.status == 200
    assert reply.json["working_hours"] == [
        day(0, open_all_day=True, closed_all_day=False, open_hour=0, open_minutes=0, close_hour=23, close_minutes=59),
        day(1, close_hour=18),
        *WEEK[2:6],
        day(6, closed_all_day=False, open_hour=10, open_minutes=30, close_hour=14, close_minutes=0),
    ]


@pytest.mark.parametrize(
    ("body", "attribute"),
    [
        ({"name": None}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"greeting_message": "x" * 10_001}, "greeting_message"),
        ({"out_of_office_message": "x" * 200_000}, "out_of_office_message"),
        ({"business_name": "x" * 256}, "business_name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"sender_name_type": "rude"}, "sender_name_type"),
        ({"sender_name_type": 2}, "sender_name_type"),
        ({"auto_assignment_config": {"max_assignment_limit": 0}}, "auto_assignment_config"),
        ({"working_hours": [{"day_of_week": 7}]}, "working_hours"),
        ({"working_hours": [day(1, open_all_day=True, closed_all_day=True)]}, "working_hours"),
        ({"working_hours": [day(1, close_hour=9)]}, "working_hours"),
        ({"working_hours": [day(1, close_hour=24)]}, "working_hours"),
        ({"working_hours": [day(1, open_minutes=60)]}, "working_hours"),
        ({"working_hours": [{"day_of_week": 0, "closed_all_day": False}]}, "working_hours"),
        ({"channel": {"webhook_url": "not a url"}}, "webhook_url"),
        ({"channel": {"webhook_url": "ftp://files.example"}}, "webhook_url"),
        ({"channel": {"additional_attributes": {"agent_reply_time_window": 0}}}, "additional_attributes"),
        ({"channel": {"additional_attributes": {"agent_reply_time_window": "soon"}}}, "additional_attributes"),
        ({"channel": {"additional_attributes": {"reuse_contacts": "perhaps"}}}, "additional_attributes"),
        ({"channel": {"additional_attributes": {"note": "x" * 100_000}}}, "additional_attributes"),
        ({"csat_config": {"template": {"body": "x" * 100_000}}}, "csat_config"),
        ({"channel": {"additional_attributes": {"agent_reply_time_window": "9" * 5000}}}, "additional_attributes"),
        ({"avatar": "not-a-file"}, "avatar"),
    ],
)
async def test_what_an_inbox_cannot_be_is_refused_whole(
    api: Api, given: Given, body: dict[str, Any], attribute: str
) -> None:
    inbox = await given.inbox()
    path = f"/inboxes/{inbox['id']}"

    reply = await api.patch(path, {"greeting_enabled": True, **body})

    assert reply.status == 422
    assert reply.json["attributes"] == [attribute]
    assert (await api.get(path)).json == inbox
    assert await given.emitted(InboxUpdated) == []


@pytest.mark.parametrize(
    "body",
    [
        {"channel": "api"},
        {"channel": {"additional_attributes": [1]}},
        {"working_hours": "always"},
        {"working_hours": [{"closed_all_day": True}]},
        {"working_hours": [{"day_of_week": 1, "open_hour": "nine"}]},
        {"csat_config": {"display_type": "thumbs"}},
        {"csat_config": {"survey_rules": {"operator": "is"}}},
        {"csat_config": []},
        {"auto_assignment_config": {"max_assignment_limit": "many"}},
        {"greeting_enabled": "perhaps"},
        {"timezone": 5},
    ],
)
async def test_a_value_of_the_wrong_kind_is_refused_whole(api: Api, given: Given, body: dict[str, Any]) -> None:
    inbox = await given.inbox()

    reply = await api.patch(f"/inboxes/{inbox['id']}", {"name": "Ponte", **body})

    assert reply.status == 422
    assert (await api.get(f"/inboxes/{inbox['id']}")).json == inbox


async def test_a_change_of_a_version_that_is_gone_is_refused(api: Api, given: Given) -> None:
    path = f"/inboxes/{(await given.inbox())['id']}"
    read = await api.get(path)

    first = await api.patch(path, {"name": "One"}, headers={"If-Match": read.headers["etag"]})
    second = await api.patch(path, {"name": "Two"}, headers={"If-Match": read.headers["etag"]})
    third = await api.patch(path, {"name": "Three"}, headers={"If-Match": first.headers["etag"]})

    assert [reply.status for reply in (first, second, third)] == [200, 412, 200]
    assert (await api.get(path)).json["name"] == "Three"


async def test_of_changes_at_once_none_is_lost(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    path = f"/inboxes/{inbox['id']}"
    days = [{"working_hours": [{"day_of_week": number, "close_hour": 20}]} for number in range(1, 6)]

    await asyncio.gather(*(api.patch(path, body) for body in days))

    shown = (await api.get(path)).json["working_hours"]
    assert [each["close_hour"] for each in shown] == [None, 20, 20, 20, 20, 20, None]


async def test_a_picture_is_shown_to_everybody_replaced_and_removed_with_its_file(api: Api, given: Given) -> None:
    with_picture = await api.call(
        "POST", "/inboxes", data={"name": "App", "channel[type]": "api"}, files={"avatar": ("logo.png", PNG)}
    )
    path = f"/inboxes/{with_picture.json['id']}"
    nobody = api.acting_as(None)

    first = with_picture.json["avatar_url"].removeprefix(BASE_URL)
    shown = await nobody.get(first)
    changed = await api.call("PATCH", path, files={"avatar": ("logo.jpg", JPEG)})
    replaced = changed.json["avatar_url"].removeprefix(BASE_URL)
    untouched = await api.call("PATCH", path, data={"avatar": "null", "name": "App"})
    await given.worked()
    gone = await nobody.get(first)
    removed = await api.delete(f"{path}/avatar")
    await given.worked()

    assert (shown.status, shown.body, shown.headers["content-type"]) == (200, PNG, "image/png")
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert replaced != first
    assert untouched.json["avatar_url"] == changed.json["avatar_url"]
    assert gone.status == 404
    assert (removed.status, removed.body) == (200, b"")
    assert (await api.get(path)).json["avatar_url"] == ""
    assert (await nobody.get(replaced)).status == 404
    assert len(await given.emitted(InboxCreated)) == 1
    assert len(await given.emitted(InboxUpdated)) == 2


async def test_a_picture_of_an_inbox_that_was_refused_goes_within_an_hour(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    jobs = given.world.parts.jobs

    refused = await api.call(
        "PATCH", f"/inboxes/{inbox['id']}", data={"timezone": "Mars/Olympus"}, files={"avatar": ("logo.png", PNG)}
    )
    kept = await api.call("PATCH", f"/inboxes/{inbox['id']}", files={"avatar": ("logo.png", PNG)})
    before = stored(given)
    await jobs.drain(ahead=timedelta(minutes=55))
    waiting = stored(given)
    await jobs.drain(ahead=timedelta(minutes=65))

    assert refused.status == 422
    assert before == waiting == 2
    assert stored(given) == 1
    assert (await api.acting_as(None).get(kept.json["avatar_url"].removeprefix(BASE_URL))).body == PNG


def stored(given: Given) -> int:
    """How many files of the account there are."""
    folder = given.world.parts.settings.data_directory() / "files" / str(given.account_id)
    return sum(1 for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("logo.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("logo.png", b"%PDF-1.7"),
        ("logo.gif", b""),
        ("logo.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 64),
        ("logo.png", PNG + b"\x00" * (15 * 1024 * 1024)),
    ],
    ids=["svg", "pdf", "empty", "webp", "large"],
)
async def test_what_is_no_picture_or_too_large_is_refused(api: Api, given: Given, name: str, content: bytes) -> None:
    inbox = await given.inbox()

    reply = await api.call("PATCH", f"/inboxes/{inbox['id']}", files={"avatar": (name, content)})

    assert reply.status == 422
    assert reply.json["attributes"] == ["avatar"]
    assert (await api.get(f"/inboxes/{inbox['id']}")).json["avatar_url"] == ""


async def test_an_address_that_was_not_signed_shows_nothing(api: Api, given: Given) -> None:
    reply = await api.call(
        "POST", "/inboxes", data={"name": "App", "channel[type]": "api"}, files={"avatar": ("logo.png", PNG)}
    )
    *_, signature, account_id, shard, name = reply.json["avatar_url"].split("/")
    nobody = api.acting_as(None)

    tried = [
        f"/avatars/{'0' * len(signature)}/{account_id}/{shard}/{name}",
        f"/avatars/{signature}/{given.account_id + 1}/{shard}/{name}",
        f"/avatars/{signature}/{account_id}/{shard}/{name.replace('.png', '.svg')}",
        f"/avatars/{signature}/{account_id}/{shard}/..%2F..%2Fkey",
    ]

    assert [(await nobody.get(path)).status for path in tried] == [404] * 4


async def test_administrators_see_all_inboxes_by_name_agents_their_own_without_secrets(api: Api, given: Given) -> None:
    second, first = await given.inbox("beta"), await given.inbox("Alpha")
    ana = api.acting_as(await given.agent("Ana", inbox=second))

    everything = (await api.get("/inboxes")).json
    of_ana = (await ana.get("/inboxes")).json

    assert everything == {"payload": [first, second]}
    assert of_ana == {"payload": [{name: value for name, value in second.items() if name not in SECRETS}]}
    assert (await ana.get(f"/inboxes/{second['id']}")).json == of_ana["payload"][0]


async def test_the_list_of_inboxes_is_one_statement(api: Api, given: Given) -> None:
    for name in ("Alpha", "Beta", "Gamma"):
        await given.inbox(name)

    with given.queries(at_most=1):
        await api.get("/inboxes")


async def test_an_agent_opens_only_inboxes_they_are_in(api: Api, given: Given) -> None:
    ours, other = await given.inbox("Ours"), await given.inbox("Other")
    ana = api.acting_as(await given.agent("Ana", inbox=ours))

    replies = [
        await ana.get(f"/inboxes/{other['id']}"),
        await ana.get(f"/inboxes/{other['id']}/assignable_agents"),
        await ana.get(f"/inbox_members/{other['id']}"),
        await ana.get(f"/assignable_agents?inbox_ids[]={ours['id']}&inbox_ids[]={other['id']}"),
    ]

    assert [reply.status for reply in replies] == [401] * 4
    assert replies[0].json == {"error": "You are not authorized to do this action"}


async def everything_about(caller: Api, inbox_id: int, user_id: int) -> list[Reply]:
    members = {"inbox_id": inbox_id, "user_ids": [user_id]}
    return [
        await caller.get(f"/inboxes/{inbox_id}"),
        await caller.patch(f"/inboxes/{inbox_id}", {"name": "Taken over"}),
        await caller.delete(f"/inboxes/{inbox_id}"),
        await caller.delete(f"/inboxes/{inbox_id}/avatar"),
        await caller.get(f"/inboxes/{inbox_id}/assignable_agents"),
        await caller.get(f"/assignable_agents?inbox_ids[]={inbox_id}"),
        await caller.get(f"/inbox_members/{inbox_id}"),
        await caller.post("/inbox_members", members),
        await caller.patch("/inbox_members", members),
        await caller.delete("/inbox_members", members),
    ]


async def test_an_inbox_of_another_account_does_not_exist(api: Api, given: Given) -> None:
    others = await given.another_account()
    theirs = await others.inbox("Theirs")
    ana = await given.agent("Ana")

    replies = await everything_about(api, theirs["id"], ana.id)
    unknown = await everything_about(api, NO_INBOX, ana.id)

    assert [reply.status for reply in replies] == [reply.status for reply in unknown] == [404] * 10
    assert {reply.body for reply in replies} == {b'{"error":"Resource could not be found"}'}
    assert (await others.api.get(f"/inboxes/{theirs['id']}")).json == theirs


async def test_bots_and_strangers_have_nothing_to_do_with_inboxes(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)

    for caller in (await given.bot(), None):
        replies = await everything_about(api.acting_as(caller), inbox["id"], ana.id)
        replies.append(await api.acting_as(caller).get("/inboxes"))
        replies.append(await api.acting_as(caller).post("/inboxes", {"name": "App", "channel": {"type": "api"}}))
        assert [reply.status for reply in replies] == [401] * 12


async def test_agents_change_nothing_about_inboxes(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    members = {"inbox_id": inbox["id"], "user_ids": [ana.id]}
    agent = api.acting_as(ana)

    replies = [
        await agent.post("/inboxes", {"name": "App", "channel": {"type": "api"}}),
        await agent.patch(f"/inboxes/{inbox['id']}", {"name": "Mine"}),
        await agent.delete(f"/inboxes/{inbox['id']}"),
        await agent.delete(f"/inboxes/{inbox['id']}/avatar"),
        await agent.post("/inbox_members", members),
        await agent.patch("/inbox_members", members),
        await agent.delete("/inbox_members", members),
    ]

    assert [reply.status for reply in replies] == [401] * 7
    assert (await api.get("/inboxes")).json == {"payload": [inbox]}


async def test_a_deleted_inbox_is_gone_at_once(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    session = await given.session(inbox)
    door = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}"

    reply = await api.delete(f"/inboxes/{inbox['id']}")
    again = await api.delete(f"/inboxes/{inbox['id']}")

    assert (reply.status, list(reply.json)) == (200, [MESSAGE])
    assert again.status == 404
    assert (await api.get("/inboxes")).json == {"payload": []}
    assert (await api.get(f"/inboxes/{inbox['id']}")).status == 404
    nobody = api.acting_as(None)
    assert (await nobody.get(door)).status == 404
    assert (await nobody.get(f"{door}/contacts/{session['source_id']}")).status == 404
    assert [event.snapshot.id for event in await given.emitted(InboxDeleted)] == [inbox["id"]]
