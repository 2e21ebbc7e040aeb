"""Filters of conversations find what they mean, however PostgreSQL is asked for it: random ones on random data."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import filter_language as language
import pytest
from filter_language import Holds, Shown, condition
from harness import Api, Given, Person

from criachat.kit import clock

CONVERSATIONS = 45
FILTERS = 120
LABELS = ("vip", "billing", "envio")
PRIORITIES = ("low", "medium", "high", "urgent")
STATUSES = ("open", "resolved", "pending", "snoozed")
ADDITIONAL = ("browser_language", "conversation_language", "referer", "mail_subject")
FOUR = ("equal_to", "not_equal_to", "is_present", "is_not_present")


class Shop:
    """An account full of conversations, and whom they are handed to."""

    def __init__(self, given: Given, chance: random.Random) -> None:
        self.given = given
        self.chance = chance
        self.inboxes: list[Any] = []
        self.teams: list[Any] = []
        self.agents: list[Person] = []

    async def open(self) -> None:
        api, chance = self.given.api, self.chance
        for key, kind in language.TYPES.items():
            body = {"attribute_key": key, "attribute_display_name": key, "attribute_display_type": kind}
            body["attribute_model"] = "conversation_attribute"
            assert (await api.post("/custom_attribute_definitions", body)).status == 200
        self.inboxes = [await self.given.inbox(name) for name in ("App", "Loja")]
        self.agents = [await self.given.agent(name, inbox=self.inboxes[0]) for name in ("Ana", "Bia")]
        self.teams = [await self.given.team(name) for name in ("vendas", "suporte")]
        contact = await self.given.contact()
        for _ in range(CONVERSATIONS):
            inbox = chance.choice(self.inboxes)
            made = await self.given.conversation(inbox=inbox, contact=contact, **self._attributes())
            await self._change(made)
            if chance.random() < 0.5:
                await self._change(made)
        gone = await self.given.conversation(inbox=self.inboxes[0], contact=contact, **self._attributes())
        await self._change(gone)
        assert (await api.delete(f"/conversations/{gone['id']}")).status == 200

    def _attributes(self) -> dict[str, Any]:
        custom = language.attributes(self.chance, [*language.TYPES])
        return {"custom_attributes": custom, "additional_attributes": language.attributes(self.chance, ADDITIONAL)}

    async def _change(self, made: Any) -> None:
        api, chance, path = self.given.api, self.chance, f"/conversations/{made['id']}"
        agent, team = chance.choice((None, *self.agents)), chance.choice((None, *self.teams))
        replies = [
            await api.post(f"{path}/labels", {"labels": chance.sample(LABELS, k=chance.randint(0, 2))}),
            await api.post(f"{path}/toggle_priority", {"priority": chance.choice((None, *PRIORITIES))}),
            await api.post(f"{path}/toggle_status", {"status": chance.choice(STATUSES)}),
            await api.post(f"{path}/assignments", {"assignee_id": agent.id if agent else None}),
            await api.post(f"{path}/assignments", {"team_id": team["id"] if team else 0}),
        ]
        replaced = language.attributes(chance, [*language.TYPES])
        if chance.random() < 0.3:
            replies.append(await api.post(f"{path}/custom_attributes", {"custom_attributes": replaced}))
        assert {reply.status for reply in replies} == {200}

    def one(self) -> tuple[dict[str, Any], Holds]:
        """Any condition."""
        made = [
            self._status,
            self._number,
            self._labels,
            self._priority,
            self._additional_one,
            self._day,
            self._display,
        ]
        chance = self.chance
        if chance.random() < 0.5:
            return chance.choice(language.every_custom(chance, only_first=False))
        return chance.choice(made)()

    def _status(self) -> tuple[dict[str, Any], Holds]:
        operator, values = self._equality(), self.chance.sample(STATUSES, k=self.chance.randint(1, 2))
        return condition("status", operator, values), lambda shown: language.text(operator, shown["status"], values)

    def _number(self) -> tuple[dict[str, Any], Holds]:
        key = self.chance.choice(("assignee_id", "inbox_id", "team_id", "campaign_id"))
        known = {
            "assignee_id": [agent.id for agent in self.agents],
            "inbox_id": [inbox["id"] for inbox in self.inboxes],
            "team_id": [team["id"] for team in self.teams],
            "campaign_id": [1],
        }
        operator, values = self.chance.choice(FOUR), [self.chance.choice(known[key])]
        return condition(key, operator, values), lambda shown: _number_holds(operator, _numbers(shown)[key], values)

    def _labels(self) -> tuple[dict[str, Any], Holds]:
        operator, values = self.chance.choice(FOUR), self.chance.sample(LABELS, k=self.chance.randint(1, 2))
        return condition("labels", operator, values), lambda shown: language.labels(operator, shown["labels"], values)

    def _priority(self) -> tuple[dict[str, Any], Holds]:
        operator, values = self._equality(), self.chance.sample((*PRIORITIES, "none"), k=self.chance.randint(1, 2))
        return condition("priority", operator, values), lambda shown: language.text(operator, shown["priority"], values)

    def _additional_one(self) -> tuple[dict[str, Any], Holds]:
        chance, key = self.chance, self.chance.choice(ADDITIONAL)
        operator = chance.choice(language.TEXT_OPERATORS[: 2 if key.endswith("language") else 4])
        values = chance.sample(language.ASKED["text"], k=chance.randint(1, 2))
        return condition(key, operator, values), lambda shown: language.text(
            operator, language.as_text(shown["additional_attributes"].get(key)), values, is_exact=True
        )

    def _display(self) -> tuple[dict[str, Any], Holds]:
        operator = self.chance.choice(language.TEXT_OPERATORS[:4])
        values = [self.chance.choice(("1", "12", "2", "012", "100", "x"[: operator.count("contain")] or "7"))]
        return condition("display_id", operator, values), lambda shown: language.text(
            operator,
            str(shown["id"]),
            [str(int(value)) if operator.endswith("equal_to") else value for value in values],
        )

    def _day(self) -> tuple[dict[str, Any], Holds]:
        key, operator = (
            self.chance.choice(("created_at", "last_activity_at")),
            self.chance.choice(("is_greater_than", "is_less_than")),
        )
        value = (clock.now() + timedelta(days=self.chance.choice((-1, 0, 1)))).date().isoformat()
        return condition(key, operator, [value]), lambda shown: language.day(operator, shown[key], value)

    def _equality(self) -> str:
        return self.chance.choice(("equal_to", "not_equal_to"))


def _numbers(shown: Shown) -> dict[str, int | None]:
    meta: dict[str, Any] = shown["meta"]
    return {
        "assignee_id": _id_of(meta.get("assignee")),
        "team_id": _id_of(meta.get("team")),
        "inbox_id": shown["inbox_id"],
        "campaign_id": None,
    }


def _id_of(shown: Shown | None) -> int | None:
    return None if shown is None else shown["id"]


def _number_holds(operator: str, found: int | None, values: Sequence[int]) -> bool:
    if operator.endswith("present"):
        return (found is not None) == (operator == "is_present")
    return found is not None and (found in values) == (operator == "equal_to")


async def everything(api: Api) -> list[Shown]:
    pages = [
        (await api.post(f"/conversations/filter?page={page}", {"payload": []})).json["payload"] for page in (1, 2, 3)
    ]
    return [shown for page in pages for shown in page]


@pytest.mark.parametrize("seed", [20260])
async def test_what_a_filter_finds_and_counts_is_what_it_means(given: Given, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same filters each time
    shop = Shop(given, chance)
    await shop.open()
    callers = [given.api, given.api.acting_as(shop.agents[0])]
    seen = [await everything(api) for api in callers]
    me = [given.boss.id, shop.agents[0].id]
    assert len(seen[0]) == CONVERSATIONS > len(seen[1]) > 0

    each = [[one] for one in language.every_custom(chance, only_first=False)]
    mixed = [[shop.one() for _ in range(chance.randint(1, 4))] for _ in range(FILTERS)]
    for number, parts in enumerate([*each, *mixed]):
        payload, holds = language.joined(chance, parts)
        caller = number % 2
        meant = [shown for shown in seen[caller] if holds(shown)]
        assignees = [_numbers(shown)["assignee_id"] for shown in meant]

        with given.queries(at_most=6):
            reply = await callers[caller].post("/conversations/filter", {"payload": payload})
        rest = await callers[caller].post("/conversations/filter?page=2", {"payload": payload})

        assert reply.status == 200, (payload, reply.body)
        found = [shown["id"] for shown in reply.json["payload"] + rest.json["payload"]]
        assert found == [shown["id"] for shown in meant], payload
        assert reply.json["meta"] == {
            "mine_count": assignees.count(me[caller]),
            "unassigned_count": assignees.count(None),
            "all_count": len(meant),
        }, payload
