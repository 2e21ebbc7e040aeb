from __future__ import annotations

from typing import Any

import pytest
from harness import Api, Given

from criachat.messages.events import MessageCreated

DENIED = {"error": "You are not authorized to do this action"}
UNKNOWN = {"error": "Resource could not be found"}


def path_of(conversation: dict[str, Any]) -> str:
    return f"/conversations/{conversation['id']}/messages"


async def refused(api: Api, given: Given, **fields: Any) -> str:
    """The sentence with which a message is refused; nothing of it is kept."""
    conversation = await given.conversation()

    reply = await api.post(path_of(conversation), {"content": "Olá!", **fields})

    assert reply.status == 422, reply.body
    assert list(reply.json) == ["error"]
    assert (await api.get(path_of(conversation))).json["payload"] == []
    assert await given.emitted(MessageCreated) == []
    return reply.json["error"]


async def test_a_reply_is_shown_whole(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    ana = await given.agent("Ana", inbox=inbox)
    conversation = await given.conversation(inbox=inbox)

    reply = await api.acting_as(ana).post(path_of(conversation), {"content": "A caminho!", "echo_id": "tmp-4f"})

    assert reply.status == 200
    assert reply.json == {
        "id": reply.json["id"],
        "content": "A caminho!",
        "inbox_id": inbox["id"],
        "echo_id": "tmp-4f",
        "conversation_id": conversation["id"],
        "message_type": 1,
        "content_type": "text",
        "status": "sent",
        "content_attributes": {},
        "created_at": reply.json["created_at"],
        "private": False,
        "source_id": None,
        "sender": {
            "id": ana.id,
            "name": "Ana",
            "available_name": "Ana",
            "avatar_url": "",
            "type": "user",
            "availability_status": reply.json["sender"]["availability_status"],
            "thumbnail": "",
        },
    }
    without_echo = {key: value for key, value in reply.json.items() if key != "echo_id"}
    assert (await api.get(path_of(conversation))).json["payload"] == [without_echo]


async def test_a_message_takes_two_statements_beside_the_token(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    with given.queries(at_most=3):
        await api.post(path_of(conversation), {"content": "Olá!"})
    with given.queries(at_most=3):
        await api.post(path_of(conversation), {"content": "Oi", "message_type": "incoming", "source_id": "WAID:1"})


async def test_what_the_customer_said_comes_from_the_contact(api: Api, given: Given) -> None:
    contact = await given.contact("Rosa Lind", phone_number="+5511988887777", identifier="crm-77")
    conversation = await given.conversation(contact=contact)

    said = await given.message(conversation, "Onde está?", message_type="incoming", source_id="WAID:3EB0A1")

    assert (said["message_type"], said["source_id"]) == (0, "WAID:3EB0A1")
    assert said["sender"] == {
        "additional_attributes": {},
        "custom_attributes": {},
        "email": contact["email"],
        "id": contact["id"],
        "identifier": "crm-77",
        "name": "Rosa Lind",
        "phone_number": "+5511988887777",
        "thumbnail": "",
        "blocked": False,
        "type": "contact",
    }


@pytest.mark.parametrize(
    ("sent", "number", "author"),
    [
        ("outgoing", 1, "user"),
        ("incoming", 0, "contact"),
        ("activity", 2, "contact"),
        ("template", 3, "contact"),
        (0, 0, "contact"),
        ("3", 3, "contact"),
    ],
)
async def test_the_kind_of_a_message_says_whose_it_is(
    api: Api, given: Given, sent: object, number: int, author: str
) -> None:
    said = await given.message(await given.conversation(), message_type=sent)

    assert (said["message_type"], said["sender"]["type"]) == (number, author)


async def test_a_bot_speaks_for_itself(api: Api, given: Given) -> None:
    bot = await given.bot("Robô")
    conversation = await given.conversation()

    reply = await api.acting_as(bot).post(path_of(conversation), {"content": "Em que posso ajudar?"})

    assert reply.status == 200
    assert reply.json["sender"] == {"id": bot.id, "name": "Robô", "avatar_url": "", "type": "agent_bot"}


async def test_a_person_may_speak_in_a_bots_name(api: Api, given: Given) -> None:
    bot = await given.bot("Robô")
    stranger = await (await given.another_account()).bot("Estranho")
    conversation = await given.conversation()

    as_bot = await given.message(conversation, sender_type="AgentBot", sender_id=str(bot.id))
    as_stranger = await given.message(conversation, sender_type="AgentBot", sender_id=stranger.id)
    as_nobody = await given.message(conversation, sender_type="User", sender_id=bot.id)

    assert (as_bot["sender"]["type"], as_bot["sender"]["id"]) == ("agent_bot", bot.id)
    assert as_stranger["sender"]["id"] == as_nobody["sender"]["id"] == given.boss.id


async def test_parameters_come_as_json_form_or_query(api: Api, given: Given) -> None:
    path = path_of(await given.conversation())

    by_form = await api.call("POST", path, data={"content": "Olá!", "private": "true", "echo_id": "7"})
    by_query = await api.call("POST", f"{path}?content=Ol%C3%A1!&private=false")
    nested = await api.call("POST", path, data={"content": "x", "content_attributes[items][][title]": "Sim"})

    assert (by_form.json["private"], by_form.json["echo_id"]) == (True, "7")
    assert (by_query.json["content"], by_query.json["private"]) == ("Olá!", False)
    assert nested.json["content_attributes"] == {"items": [{"title": "Sim"}]}


@pytest.mark.parametrize("echo_id", ["c1", 7, 1.5, True, False, "", 2**70])
async def test_an_echo_is_given_back_unchanged_and_not_kept(api: Api, given: Given, echo_id: object) -> None:
    conversation = await given.conversation()

    said = await given.message(conversation, echo_id=echo_id)

    assert said["echo_id"] == echo_id
    assert type(said["echo_id"]) is type(echo_id)
    (event,) = await given.emitted(MessageCreated)
    assert event.snapshot.echo_id == echo_id
    assert "echo_id" not in (await api.get(path_of(conversation))).json["payload"][0]


@pytest.mark.parametrize("echo_id", [None, {"a": 1}, ["a"]])
async def test_an_echo_that_is_no_scalar_is_none(api: Api, given: Given, echo_id: object) -> None:
    said = await given.message(await given.conversation(), echo_id=echo_id)

    assert "echo_id" not in said
    (event,) = await given.emitted(MessageCreated)
    assert event.snapshot.echo_id is None


async def test_an_echo_tells_nothing_apart(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    first, second = [await given.message(conversation, echo_id="c1") for _ in range(2)]

    assert first["id"] != second["id"]


# What a message consists of


@pytest.mark.parametrize(
    "fields",
    [
        {"content": ""},
        {"content": None},
        {"content": None, "attachments": []},
        {"content": "", "content_attributes": {"items": []}},
    ],
)
async def test_a_message_that_says_nothing_is_refused(api: Api, given: Given, fields: dict[str, Any]) -> None:
    assert await refused(api, given, **fields) == "Validation failed: Content can't be blank"


async def test_items_or_a_template_say_enough(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    items = {"items": [{"title": "Sim", "value": "yes"}]}

    choices = await given.message(conversation, "", content_type="input_select", content_attributes=items)
    template = await given.message(conversation, "", template_params={"name": "order_ready"})

    assert (choices["content"], choices["content_attributes"]) == ("", items)
    assert template["content_attributes"] == {}


async def test_a_message_of_150_000_characters_is_taken_and_no_longer_one(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    longest = await given.message(conversation, "é" * 150_000)
    reply = await api.post(path_of(conversation), {"content": "é" * 150_001})

    assert longest["content"] == "é" * 150_000
    assert (reply.status, reply.json) == (
        422,
        {"error": "Validation failed: Content is too long (maximum is 150000 characters)"},
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"message_type": "shout"}, "message_type must be incoming, outgoing, activity or template"),
        ({"message_type": ""}, "message_type must be incoming, outgoing, activity or template"),
        ({"message_type": "²"}, "message_type must be incoming, outgoing, activity or template"),
        ({"message_type": "9" * 5000}, "message_type must be incoming, outgoing, activity or template"),
        ({"message_type": 4}, "message_type must be incoming, outgoing, activity or template"),
        ({"message_type": -1}, "message_type must be incoming, outgoing, activity or template"),
        ({"message_type": 10**30}, None),
        ({"message_type": {"a": 1}}, None),
        ({"content_type": "hologram"}, "content_type is not one of those there are, such as text or input_select"),
        ({"content_type": ""}, "content_type is not one of those there are, such as text or input_select"),
        ({"content_type": ["text"]}, None),
        ({"content": {"a": 1}}, None),
        ({"private": "perhaps"}, None),
        ({"sender_id": "one"}, None),
        ({"sender_id": 10**30}, None),
        ({"campaign_id": "one"}, None),
        ({"source_id": "x" * 20_001}, "Validation failed: Source is too long (maximum is 20000 characters)"),
        (
            {"client_message_id": "x" * 256},
            "Validation failed: Client message is too long (maximum is 255 characters)",
        ),
        ({"echo_id": "x" * 20_001}, "Validation failed: Echo is too long (maximum is 20000 characters)"),
        (
            {"content_attributes": {"a": "x" * 1_100_000}},
            "Validation failed: Content attributes are too large (maximum is 1 MB)",
        ),
        (
            {"template_params": {"name": "x", "processed_params": {"body": ["x" * 1_100_000]}}},
            "Validation failed: Content attributes are too large (maximum is 1 MB)",
        ),
        ({"client_message_id": "criachat:1"}, "Validation failed: Client message must not begin with criachat:"),
        ({"attachments": "photo"}, "Attachments must be a list of files"),
        ({"attachments": {"0": "photo"}}, "Attachments must be a list of files"),
        ({"attachments": ["eyJf--9c"]}, "Attachments must be files; this signed id is not known"),
        ({"attachments": ["eyJf--9c"] * 16}, "Validation failed: A message takes 15 attachments at most"),
        ({"template_params": "{}"}, "Validation failed: Template params must be an object"),
        ({"template_params": {"name": ""}}, "Validation failed: Template params needs a name"),
        ({"template_params": {"name": "x", "language": 5}}, "Validation failed: Template params language must be text"),
        (
            {"template_params": {"name": "x", "processed_params": []}},
            "Validation failed: Template params processed_params must be an object",
        ),
        (
            {"template_params": {"name": "x", "processed_params": None}},
            "Validation failed: Template params processed_params must be an object",
        ),
    ],
)
async def test_what_breaks_a_rule_is_refused_with_one_sentence(
    api: Api, given: Given, fields: dict[str, Any], sentence: str | None
) -> None:
    said = await refused(api, given, **fields)

    assert sentence in (None, said)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"content":"a\\u0000b"}', 400),
        (b'{"content":"\xff"}', 400),
        (b'{"content":"\\ud800"}', 400),
        (b'{"content":', 400),
        (b'{"content_attributes":' + b"[" * 70 + b"]" * 70 + b"}", 400),
        (b'{"content":"' + b"x" * (8 * 1024 * 1024) + b'"}', 413),
        (b'"content"', 422),
        (b"[]", 422),
        (b"", 422),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(api: Api, given: Given, body: bytes, status: int) -> None:
    conversation = await given.conversation()
    headers = {"Content-Type": "application/json"}

    reply = await api.call("POST", path_of(conversation), content=body, headers=headers)

    assert reply.status == status, reply.body
    assert "error" in reply.json
    assert (await api.get(path_of(conversation))).json["payload"] == []


async def test_an_incoming_message_needs_an_api_inbox(api: Api, given: Given) -> None:
    # No other kind of inbox can be made through the door yet; the rule is asked of the conversation's channel.
    inbox = await given.inbox()
    conversation = await given.conversation(inbox=inbox)
    await turn_into_email(given, inbox["id"])

    incoming = await api.post(path_of(conversation), {"content": "Olá!", "message_type": "incoming"})
    outgoing = await api.post(path_of(conversation), {"content": "Olá!"})

    assert (incoming.status, incoming.json) == (422, {"error": "Incoming messages are only allowed in API inboxes"})
    assert outgoing.status == 200


async def turn_into_email(given: Given, inbox_id: int) -> None:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE inboxes SET channel_type = 'Channel::Email' WHERE id = $1", inbox_id)


# Attributes


async def test_attributes_are_stored_as_they_are(api: Api, given: Given) -> None:
    attributes = {"translations": {"pt_BR": "Olá"}, "is_unsupported": True, "n": 1.5, "big": 2**60, "": None, "l": [1]}

    said = await given.message(await given.conversation(), content_attributes=attributes)

    assert said["content_attributes"] == attributes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"in_reply_to": null}', {"in_reply_to": None, "in_reply_to_external_id": None}),
        ('{"a": {"b": [1, "2"]}}', {"a": {"b": [1, "2"]}}),
        ("", {}),
        ("{", {}),
        ("[1]", {}),
        ("5", {}),
        ('{"a": "\\u0000"}', {}),
        ('{"a":' * 70 + "1" + "}" * 70, {}),
    ],
)
async def test_attributes_may_be_json_text(api: Api, given: Given, text: str, expected: dict[str, Any]) -> None:
    reply = await api.call(
        "POST", path_of(await given.conversation()), data={"content": "Olá!", "content_attributes": text}
    )

    assert (reply.status, reply.json["content_attributes"]) == (200, expected)


@pytest.mark.parametrize("sent", [[1], 5, True, "x"])
async def test_attributes_that_are_no_object_are_none(api: Api, given: Given, sent: object) -> None:
    said = await given.message(await given.conversation(), content_attributes=sent)

    assert said["content_attributes"] == {}


async def test_an_outside_time_and_a_campaign_are_noted(api: Api, given: Given) -> None:
    conversation = await given.conversation()

    said = await given.message(conversation, external_created_at=1_741_064_700, campaign_id="12")
    with_template = await given.message(conversation, campaign_id=12, template_params={"name": "order_ready"})

    assert said["content_attributes"] == {"external_created_at": 1_741_064_700}
    assert said["created_at"] > 1_741_064_700
    first, second = await given.emitted(MessageCreated)
    assert first.snapshot.message.additional_attributes == {"campaign_id": 12}
    assert second.snapshot.message.additional_attributes == {"template_params": {"name": "order_ready"}}
    assert with_template["content_attributes"] == {}


async def test_a_message_answers_another_by_either_of_its_ids(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    asked = await given.message(conversation, "Onde?", message_type="incoming", source_id="WAID:3E")
    pair = {"in_reply_to": asked["id"], "in_reply_to_external_id": "WAID:3E"}

    answers = [
        await given.message(conversation, content_attributes=each)
        for each in (
            {"in_reply_to": asked["id"]},
            {"in_reply_to": str(asked["id"])},
            {"in_reply_to_external_id": "WAID:3E"},
            {"in_reply_to": asked["id"], "in_reply_to_external_id": "WAID:other"},
        )
    ]

    assert [answer["content_attributes"] for answer in answers] == [pair] * 4


async def test_an_answer_to_nothing_known_names_nothing(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    elsewhere = await given.message(await given.conversation(inbox=inbox), source_id="WAID:3E")
    conversation = await given.conversation(inbox=inbox)
    nothing = {"in_reply_to": None, "in_reply_to_external_id": None}

    for sent in (elsewhere["id"], 0, -1, True, "x", 10**30, {"a": 1}, "9" * 400):
        said = await given.message(conversation, content_attributes={"in_reply_to": sent})
        assert said["content_attributes"] == nothing, sent


async def test_an_outside_id_that_is_not_known_yet_is_kept(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await given.message(await given.conversation(inbox=inbox), source_id="WAID:3E")

    said = await given.message(
        await given.conversation(inbox=inbox), content_attributes={"in_reply_to_external_id": "WAID:3E"}
    )

    assert said["content_attributes"] == {"in_reply_to": None, "in_reply_to_external_id": "WAID:3E"}


# Contents of several kinds

CARD = {"title": "Camisa", "description": "Azul", "media_url": "https://x.example/a.png"}
ACTION = {"type": "link", "text": "Ver", "uri": "https://x.example"}
FIELD = {"name": "email", "label": "E-mail", "type": "email", "placeholder": "a@b", "required": True}


@pytest.mark.parametrize(
    ("content_type", "item"),
    [
        ("input_select", {"title": "Sim", "value": "yes"}),
        ("cards", {**CARD, "actions": [ACTION, {"type": "postback", "text": "Quero", "payload": "BUY"}]}),
        ("form", FIELD),
        ("form", {**FIELD, "pattern": ".+", "title": "t", "pattern_error": "não", "default": "", "options": []}),
        ("article", {"title": "Ajuda", "description": "Como", "link": "https://x.example"}),
    ],
)
async def test_items_of_every_kind_are_taken(api: Api, given: Given, content_type: str, item: dict[str, Any]) -> None:
    said = await given.message(
        await given.conversation(), content_type=content_type, content_attributes={"items": [item]}
    )

    assert (said["content_type"], said["content_attributes"]) == (content_type, {"items": [item]})


@pytest.mark.parametrize(
    "content_type",
    ["text", "input_text", "input_textarea", "input_email", "incoming_email", "input_csat", "integrations", "sticker"],
)
async def test_other_kinds_need_no_items(api: Api, given: Given, content_type: str) -> None:
    said = await given.message(await given.conversation(), content_type=content_type)

    assert (said["content_type"], said["content_attributes"]) == (content_type, {})


@pytest.mark.parametrize(
    ("content_type", "attributes", "sentence"),
    [
        ("input_select", {}, "At least one item is required."),
        ("input_select", {"items": []}, "At least one item is required."),
        ("input_select", {"items": {"title": "Sim"}}, "At least one item is required."),
        ("input_select", {"items": ["Sim"]}, "Each item must be an object."),
        ("input_select", {"items": [{"title": "Sim", "color": "red"}]}, "contains invalid keys for items."),
        ("article", {"items": [{"title": "A", "value": "b"}]}, "contains invalid keys for items."),
        ("form", {"items": [{**FIELD, "colour": "red"}]}, "contains invalid keys for items."),
        ("cards", {"items": [CARD]}, "contains items missing actions"),
        ("cards", {"items": [{**CARD, "actions": []}]}, "contains items missing actions"),
        ("cards", {"items": [{**CARD, "actions": ["link"]}]}, "contains invalid keys for actions."),
        ("cards", {"items": [{**CARD, "actions": [{**ACTION, "x": 1}]}]}, "contains invalid keys for actions."),
    ],
)
async def test_items_that_do_not_fit_are_refused(
    api: Api, given: Given, content_type: str, attributes: dict[str, Any], sentence: str
) -> None:
    said = await refused(api, given, content_type=content_type, content_attributes=attributes)

    assert said == f"Validation failed: Content attributes {sentence}"


# Who may


async def test_members_of_the_inbox_or_the_team_may_speak_and_others_may_not(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    member = await given.agent("Ana", inbox=inbox)
    outsider, teammate = await given.agent("Caio"), await given.agent("Tia")
    team = (await api.post("/teams", {"name": "delivery"})).json
    await api.post(f"/teams/{team['id']}/team_members", {"user_ids": [teammate.id]})
    conversation = await given.conversation(inbox=inbox)
    await api.post(f"/conversations/{conversation['id']}/assignments", {"team_id": team["id"]})

    replies = [
        await api.acting_as(person).post(path_of(conversation), {"content": "Olá!"})
        for person in (member, teammate, outsider)
    ]

    assert [reply.status for reply in replies] == [200, 200, 401]
    assert replies[2].json == DENIED


async def test_nobody_speaks_without_a_token_or_in_another_account(api: Api, given: Given) -> None:
    others = await given.another_account()
    bot = await given.bot()
    theirs = await others.conversation()
    path, body = path_of(theirs), {"content": "Olá!"}

    nobody = await api.acting_as(None).post(path, body)
    here = await api.post(path_of({"id": theirs["id"] + 1000}), body)
    there = await api.in_account(others.account_id).post(path, body)
    bot_there = await api.acting_as(bot).in_account(others.account_id).post(path, body)

    assert nobody.status == 401
    assert (here.status, here.json) == (404, UNKNOWN)
    assert there.status == bot_there.status == 401
    assert (await others.api.get(path)).json["payload"] == []


async def test_permission_is_asked_before_the_message_is_looked_at(api: Api, given: Given) -> None:
    outsider = await given.agent("Caio")
    conversation = await given.conversation()
    body = {"content": "", "message_type": "shout", "attachments": "photo"}

    refused = await api.acting_as(outsider).post(path_of(conversation), body)
    unknown = await api.post(path_of({"id": conversation["id"] + 1000}), body)

    assert (refused.status, unknown.status) == (401, 404)


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "1e3", "%00"])
async def test_what_is_no_number_is_no_conversation(api: Api, given: Given, number: str) -> None:
    reply = await api.post(f"/conversations/{number}/messages", {"content": "Olá!"})

    assert reply.status == 404


# Too many


async def test_a_conversation_takes_two_hundred_messages_a_minute(api: Api, given: Given) -> None:
    conversation = await given.conversation()
    async with given.world.parts.database.transaction() as tx:
        await tx.execute(
            "UPDATE conversations SET recent_minute = now(), recent_count = 199 WHERE account_id = $1",
            given.account_id,
        )

    last = await api.post(path_of(conversation), {"content": "x", "private": True})
    too_many = await api.post(path_of(conversation), {"content": "x"})
    other = await api.post(path_of(await given.conversation()), {"content": "x"})

    assert last.status == other.status == 200
    assert (too_many.status, too_many.json) == (422, {"error": "Validation failed: Too many messages"})
