from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from apps import CLIENT_API, PNG, App, open_app
from harness import Api, Given, Reply

from criachat.kit import clock
from criachat.messages.events import MessageUpdated

NO_SUCH_PAGE = {"status": 404, "error": "Not Found"}
CLOSED = {"error": "You cannot update the CSAT survey after 14 days"}


class Survey:
    """A survey that was sent in a conversation, on its page and in its app."""

    def __init__(self, api: Api, app: App, conversation: Any) -> None:
        self.app = app
        self.conversation = conversation
        self.path = f"{CLIENT_API}/csat_survey/{conversation['uuid']}"
        self._page = api.acting_as(None)

    async def show(self) -> Reply:
        return await self._page.get(self.path)

    async def rate(self, rating: Any, *, method: str = "PUT", **answer: Any) -> Reply:
        values = {"csat_survey_response": {"rating": rating, **answer}}
        return await self._page.call(method, self.path, json={"message": {"submitted_values": values}})

    async def rate_in_app(self, rating: Any, **answer: Any) -> Reply:
        message = (await self.show()).json["id"]
        values = {"csat_survey_response": {"rating": rating, **answer}}
        path = f"/conversations/{self.conversation['id']}/messages/{message}"
        return await self.app.patch(path, {"submitted_values": values})


async def surveyed(given: Given, **settings: Any) -> Survey:
    """A conversation of an inbox that asks how it was, just resolved."""
    app = await open_app(given, await given.inbox("Loja", csat_survey_enabled=True, **settings))
    conversation = await app.conversation()
    await app.post(f"/conversations/{conversation['id']}/toggle_status")
    await given.relayed()
    return Survey(given.api, app, conversation)


async def test_a_survey_is_shown_to_whoever_has_its_address(api: Api, given: Given) -> None:
    config = {"display_type": "star", "message": "How did we do?"}
    survey = await surveyed(given, csat_config=config)

    with given.queries(at_most=7):
        reply = await survey.show()

    (message,) = (await survey.app.get(f"/conversations/{survey.conversation['id']}/messages")).json
    assert reply.status == 200
    assert reply.json == {
        "id": message["id"],
        "csat_survey_response": None,
        "display_type": "star",
        "content": "How did we do?",
        "inbox_avatar_url": "",
        "inbox_name": "Loja",
        "locale": "en",
        "conversation_id": reply.json["conversation_id"],
        "created_at": reply.json["created_at"],
    }
    assert (message["message_type"], message["content_type"]) == (3, "input_csat")
    assert message["content_attributes"] == {"display_type": "star"}
    assert "sender" not in message


async def test_a_survey_shows_the_picture_of_its_inbox(api: Api, given: Given) -> None:
    survey = await surveyed(given)
    path = f"/inboxes/{survey.app.inbox['id']}"
    pictured = await api.call("PATCH", path, files={"avatar": ("logo.png", PNG, "image/png")})

    shown, answered = await survey.show(), await survey.rate(5)

    assert pictured.json["avatar_url"] != ""
    assert shown.json["inbox_avatar_url"] == answered.json["inbox_avatar_url"] == pictured.json["avatar_url"]


async def test_a_survey_is_answered_on_its_page(api: Api, given: Given) -> None:
    survey = await surveyed(given)
    ana = await given.agent("Ana", inbox=survey.app.inbox)
    await api.post(f"/conversations/{survey.conversation['id']}/assignments", {"assignee_id": ana.id})

    reply = await survey.rate(4, feedback_message="quick help")

    assert reply.status == 200
    kept = reply.json["csat_survey_response"]
    assert kept == {
        "id": kept["id"],
        "account_id": given.account_id,
        "conversation_id": reply.json["conversation_id"],
        "message_id": reply.json["id"],
        "rating": 4,
        "feedback_message": "quick help",
        "contact_id": survey.app.session["id"],
        "assigned_agent_id": ana.id,
        "created_at": kept["created_at"],
        "updated_at": kept["created_at"],
        "csat_review_notes": None,
        "review_notes_updated_at": None,
        "review_notes_updated_by_id": None,
    }
    assert (await survey.show()).json == reply.json
    (message,) = (await survey.app.get(f"/conversations/{survey.conversation['id']}/messages")).json
    answer = {"csat_survey_response": {"rating": 4, "feedback_message": "quick help"}}
    assert message["content_attributes"] == {"display_type": "emoji", "submitted_values": answer}
    (event,) = await given.emitted(MessageUpdated)
    assert (event.actor_type, event.actor_id) == ("contact", survey.app.session["id"])


async def test_a_survey_is_answered_in_the_app(given: Given) -> None:
    survey = await surveyed(given)

    reply = await survey.rate_in_app("5")

    assert reply.status == 200
    answer = {"csat_survey_response": {"rating": 5}}
    assert reply.json["content_attributes"]["submitted_values"] == answer
    assert (await survey.show()).json["csat_survey_response"]["rating"] == 5


async def test_whoever_answers_again_overwrites_the_answer_and_not_its_agent(api: Api, given: Given) -> None:
    survey = await surveyed(given)
    ana = await given.agent("Ana", inbox=survey.app.inbox)
    first = (await survey.rate(1, feedback_message="slow")).json["csat_survey_response"]
    await api.post(f"/conversations/{survey.conversation['id']}/assignments", {"assignee_id": ana.id})

    again = (await survey.rate(5, method="PATCH")).json["csat_survey_response"]

    assert again["id"] == first["id"]
    assert (again["rating"], again["feedback_message"], again["assigned_agent_id"]) == (5, None, None)
    assert again["created_at"] == first["created_at"]
    assert again["updated_at"] > first["updated_at"]


async def test_a_form_answers_as_well(given: Given) -> None:
    survey = await surveyed(given)
    prefix = "message[submitted_values][csat_survey_response]"
    form = {f"{prefix}[rating]": "3", f"{prefix}[feedback_message]": "so so"}

    reply = await given.api.acting_as(None).call("PUT", survey.path, data=form)

    assert reply.status == 200, reply.body
    assert reply.json["csat_survey_response"]["rating"] == 3


@pytest.mark.parametrize("rating", [0, 6, -1, "", "x", None, 2.5, True, [], {}, 10**30])
async def test_a_rating_is_a_whole_number_from_one_to_five(given: Given, rating: Any) -> None:
    survey = await surveyed(given)

    replies = [await survey.rate(rating), await survey.rate_in_app(rating)]

    refusal = {"message": "Rating must be a whole number from 1 to 5", "attributes": ["rating"]}
    assert [(reply.status, reply.json) for reply in replies] == [(422, refusal)] * 2
    assert (await survey.show()).json["csat_survey_response"] is None
    assert await given.emitted(MessageUpdated) == []


@pytest.mark.parametrize("feedback", ["x" * 20_001, 7, ["slow"], {"a": 1}])
async def test_a_feedback_is_a_text_of_a_certain_length(given: Given, feedback: Any) -> None:
    survey = await surveyed(given)

    reply = await survey.rate(5, feedback_message=feedback)

    sentence = "Feedback message must be text of 20000 characters at most"
    assert (reply.status, reply.json) == (422, {"message": sentence, "attributes": ["feedback_message"]})
    assert (await survey.show()).json["csat_survey_response"] is None


@pytest.mark.parametrize(
    "values", [None, [], {}, "5", {"csat_survey_response": None}, {"csat_survey_response": 5}, [{"value": "5"}]]
)
async def test_an_answer_without_a_rating_in_it_is_refused(given: Given, values: Any) -> None:
    survey = await surveyed(given)
    message = (await survey.show()).json["id"]
    path = f"/conversations/{survey.conversation['id']}/messages/{message}"

    replies = [
        await given.api.acting_as(None).put(survey.path, {"message": {"submitted_values": values}}),
        await survey.app.patch(path, {"submitted_values": values}),
    ]

    refusal = {"message": "Submitted values must hold a csat_survey_response", "attributes": ["submitted_values"]}
    assert [(reply.status, reply.json) for reply in replies] == [(422, refusal)] * 2


async def test_a_survey_is_open_for_two_weeks(given: Given) -> None:
    survey = await surveyed(given)
    clock.travel(timedelta(days=14))
    in_time = await survey.rate(3)
    clock.travel(timedelta(days=1))

    late = [await survey.rate(1), await survey.rate_in_app(1)]

    assert in_time.status == 200
    assert [(reply.status, reply.json) for reply in late] == [(422, CLOSED)] * 2
    assert (await survey.show()).json["csat_survey_response"]["rating"] == 3


@pytest.mark.parametrize("uuid", ["unknown", "00000000-0000-4000-8000-000000000000", "1", "x" * 3000, "%00"])
async def test_an_unknown_address_is_not_found(api: Api, uuid: str) -> None:
    path = f"{CLIENT_API}/csat_survey/{uuid}"
    answer = {"message": {"submitted_values": {"csat_survey_response": {"rating": 5}}}}

    replies = [await api.acting_as(None).get(path), await api.acting_as(None).put(path, answer)]

    assert [(reply.status, reply.json) for reply in replies] == [(404, NO_SUCH_PAGE)] * 2


async def test_a_conversation_that_was_never_asked_about_has_no_survey(given: Given) -> None:
    app = await open_app(given)
    survey = Survey(given.api, app, await app.conversation())

    replies = [await survey.show(), await survey.rate(5)]

    assert [(reply.status, reply.json) for reply in replies] == [(404, NO_SUCH_PAGE)] * 2


async def test_an_address_in_capitals_is_the_same(given: Given) -> None:
    survey = await surveyed(given)
    shown = (await survey.show()).json
    survey.path = f"{CLIENT_API}/csat_survey/{survey.conversation['uuid'].upper()}"

    assert (await survey.show()).json == shown
