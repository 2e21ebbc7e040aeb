from __future__ import annotations

import time
from typing import Any

import pytest
from harness import Given
from hypothesis import HealthCheck, settings
from hypothesis import given as each
from hypothesis import strategies as st

from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.kit import actors
from criachat.messages.events import MessageCreated
from criachat.messages.variables import LONGEST_TEXT, with_variables

PATIENCE_SECONDS = 5.0


async def said(given: Given, text: str, **fields: Any) -> str:
    """What becomes of a text that is said to Rosa."""
    contact = await given.contact(
        "rosa maria lind", phone_number="+5511988887777", custom_attributes={"plan": "gold", "n": 3}
    )
    inbox = await given.inbox("Loja")
    conversation = await given.conversation(inbox=inbox, contact=contact, custom_attributes={"order": "A-99"})
    message = await given.message(conversation, text, **fields)
    return message["content"].replace(f"#{conversation['id']}", "#number")


@pytest.mark.parametrize(
    ("text", "filled_in"),
    [
        ("Oi {{contact.name}}", "Oi Rosa Maria Lind"),
        ("{{ contact.first_name }} {{contact.last_name}}", "Rosa Lind"),
        ("{{contact.phone_number}}", "+5511988887777"),
        ("{{contact.custom_attribute.plan}}/{{contact.custom_attribute.n}}", "gold/3"),
        ("{{agent.name}}, {{agent.available_name}}|{{agent.first_name}}|{{agent.last_name}}", "Beatriz, Beatriz||"),
        ("#{{conversation.display_id}} {{conversation.contact_name}}", "#number Rosa Maria Lind"),
        ("{{conversation.custom_attribute.order}}", "A-99"),
        ("{{inbox.name}} de {{account.name}}", "Loja de Loja Azul"),
        ("[{{contact.nothing}}{{nobody.name}}{{contact.custom_attribute.x.y}}]", "[]"),
        ("{{ contact.first_name | downcase | append: '!' }}", "rosa!"),
        ("{{ contact.email | split: '@' | last }}", "example.net"),
        ("{{ contact.custom_attribute.none | default: 'nenhum' | size }}", "6"),
        ("{{ contact.name | split: ' ' | first }}", "Rosa"),
        ("{{ '+55 11' | replace: ' ', '' }}", "+5511"),
        ("{% if contact.custom_attribute.plan == 'gold' %}VIP{% else %}comum{% endif %}", "VIP"),
        ("{%- assign plan = contact.custom_attribute.plan -%}  {{ plan }}", "gold"),
        ("a {{- contact.first_name -}} b", "aRosab"),
    ],
)
async def test_variables_are_filled_in(given: Given, text: str, filled_in: str) -> None:
    assert await said(given, text) == filled_in


@pytest.mark.parametrize(
    "text",
    [
        "`{{contact.name}}`",
        "```\n{{contact.name}}\n```",
        "{{contact.name",
        "{% if contact.name %}sem fim",
        "{{ contact.name | shout }}",
        "{% include 'secret' %}",
        "{{ contact.name }} {% endif %}",
        "{{contact.name}} {{",
        "{% for i in (1..3) %}x{% endfor %}",
        "{{ 1 | divided_by: 0 }}",
        "{{ '9e400' | round }}",
        "{{ '%00' | url_decode }}",
        "{{ 'AA==' | base64_decode }}",
        "no variables at all | { } %",
    ],
)
async def test_what_is_no_liquid_or_stands_between_backticks_stays(given: Given, text: str) -> None:
    assert await said(given, text) == text


async def test_only_backticks_are_left_alone_in_a_text_that_has_both(given: Given) -> None:
    text = "{% if contact.name %}`{{x}}` {{contact.first_name}} `{% endif`{% endif %}"

    assert await said(given, text) == "`{{x}}` Rosa `{% endif`"


@pytest.mark.parametrize(
    ("fields", "is_filled_in"),
    [
        ({"private": True}, True),
        ({"message_type": "template"}, True),
        ({"message_type": "incoming"}, False),
        ({"message_type": "activity"}, False),
    ],
)
async def test_what_a_customer_says_is_not_filled_in(given: Given, fields: Any, is_filled_in: object) -> None:
    expected = "Rosa" if is_filled_in else "{{contact.first_name}}"

    assert await said(given, "{{contact.first_name}}", **fields) == expected


async def test_the_parameters_of_a_template_are_filled_in(given: Given) -> None:
    template = {"name": "{{contact.first_name}}", "processed_params": {"body": {"1": "{{contact.first_name}}", "2": 5}}}

    await said(given, "", template_params={**template, "language": "pt_BR"})

    (event,) = await given.emitted(MessageCreated)
    assert event.snapshot.message.additional_attributes["template_params"] == {
        "name": "{{contact.first_name}}",
        "language": "pt_BR",
        "processed_params": {"body": {"1": "Rosa", "2": 5}},
    }


@pytest.fixture
async def conversation(given: Given) -> Conversation:
    """A conversation whose contact has a large attribute."""
    contact = await given.contact("Rosa Lind", custom_attributes={"x": "y " * 49_000})
    shown = await given.conversation(contact=contact)
    async with given.world.parts.database.reading() as db:
        return await conversations.load_conversation(db, actors.system(given.account_id), shown["id"])


HOSTILE = [
    "{{" * 70_000,
    "{%" * 70_000,
    "{{ a" + " " * 149_000,
    "{%" + " " * 149_000 + "{{a}}",
    "{{" * 200 + "a" * 149_000,
    "`" * 150_000,
    "{{a}}" + "```" * 40_000,
    "{% raw %}" * 15_000,
    "{{ (1..999999999) | slice: 0, 99999999 }}",
    "{% if (1..999999999) contains 'x' or (1..999999999) contains 'x' %}{% endif %}",
    "{{ (1..999999999) | join: 'x' }}",
    "{% for i in (1..999999999) %}{% endfor %}",
    "{% assign a = 'xxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 40 + "{{ a }}",
    "{{ 'xxxxxxxxxx' " + "| replace: 'x', 'xxxxxxxxxx' " * 100 + "}}",
    "{{ '%' " + "| url_encode " * 300 + "}}",
    "{{ 9 " + "| times: 99999999999999999999 " * 120 + "}}",
    "{{ contact.custom_attribute.x " + "| upcase " * 440 + "}}",
    "{{ contact.custom_attribute.x " + "| split: ' ' | last " * 180 + "}}",
    "{{ contact.custom_attribute.x }}" * 120,
    "{% if " + "(" * 1900 + "a" + ")" * 1900 + " %}{% endif %}",
    "{{ a" + "[0" * 900 + "]" * 900 + " }}",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20])
async def test_no_text_takes_long_or_becomes_long(conversation: Conversation, text: str) -> None:
    began = time.process_time()

    filled_in = with_variables(text, conversation, None)

    # Far above what any of them takes; unbounded, they take minutes or more memory than there is.
    assert time.process_time() - began < PATIENCE_SECONDS
    assert len(filled_in) <= LONGEST_TEXT


PIECES = (
    "{{ }} {% %} {{- -}} ` ``` contact .name agent | upcase default: 'a' \" ' (1..3) if endif else assign = a 5 -1 [ ] "
    "( ) == contains # raw endraw date: '%Y' 9e400 round ceil \u202e é 🎉"
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@each(
    pieces=st.lists(st.sampled_from(PIECES.split()) | st.text(max_size=5), max_size=25), glue=st.sampled_from(["", " "])
)
async def test_any_text_becomes_a_text(conversation: Conversation, pieces: list[str], glue: str) -> None:
    assert isinstance(with_variables(glue.join(pieces), conversation, None), str)
