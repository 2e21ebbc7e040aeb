"""Filters of contacts find what they mean, however PostgreSQL is asked for it: random ones on random data."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import filter_language as language
import pytest
from filter_language import Holds, Shown, condition
from harness import Given

from criachat.kit import clock

CONTACTS = 40
FILTERS = 120
LABELS = ("vip", "billing", "envio")
ADDITIONAL = ("country_code", "city", "company")
NAMES = ("Ana Lima", "ana lima", "Bia", "Caio Ferraz", "", "João", "JOÃO")
FOUR = ("equal_to", "not_equal_to", "contains", "does_not_contain")


class Book:
    """An account full of contacts."""

    def __init__(self, given: Given, chance: random.Random) -> None:
        self.given = given
        self.chance = chance
        self.people: list[dict[str, Any]] = []

    async def fill(self) -> None:
        api = self.given.api
        for key, kind in language.TYPES.items():
            body = {"attribute_key": key, "attribute_display_name": key, "attribute_display_type": kind}
            body["attribute_model"] = "contact_attribute"
            assert (await api.post("/custom_attribute_definitions", body)).status == 200
        inbox = await self.given.inbox()
        assert (await api.post("/contacts", {"name": "Ana Lima", **self._attributes()})).status == 200
        for number in range(CONTACTS):
            made = await self.given.contact(**self._details(number))
            if self.chance.random() < 0.3:
                conversation = await self.given.conversation(inbox=inbox, contact=made)
                await self.given.message(conversation, message_type="incoming")
            await self._change(made)
        for person in self.people:
            person |= (await api.get(f"/contacts/{person['id']}")).json["payload"]

    def _details(self, number: int) -> dict[str, Any]:
        chance = self.chance
        known = {"email": f"rosa{number}@{chance.choice(('a', 'B'))}.example", "identifier": f"CRM-{number}"}
        kept = {key: value if chance.random() < 0.6 else None for key, value in known.items()}
        phone = f"+3519{number:08}" if chance.random() < 0.5 or kept["email"] is kept["identifier"] else None
        return {"name": chance.choice(NAMES), **kept, "phone_number": phone, **self._attributes()}

    def _attributes(self) -> dict[str, Any]:
        custom = language.attributes(self.chance, [*language.TYPES])
        return {"custom_attributes": custom, "additional_attributes": language.attributes(self.chance, ADDITIONAL)}

    async def _change(self, made: Any) -> None:
        api, chance, path = self.given.api, self.chance, f"/contacts/{made['id']}"
        labels = chance.sample(LABELS, k=chance.randint(0, 2))
        replies = [
            await api.post(f"{path}/labels", {"labels": [*LABELS]}),
            await api.post(f"{path}/labels", {"labels": labels}),
            await api.patch(path, {"blocked": chance.random() < 0.3}),
        ]
        if chance.random() < 0.3:
            replies.append(await api.patch(path, self._attributes()))
            names = chance.sample([*language.TYPES], k=2)
            replies.append(await api.post(f"{path}/destroy_custom_attributes", {"custom_attributes": names}))
        assert {reply.status for reply in replies} == {200}
        self.people.append({"id": made["id"], "labels": labels})

    def one(self) -> tuple[dict[str, Any], Holds]:
        """Any condition."""
        made = (self._text, self._text, self._additional, self._phone_number, self._labels, self._blocked, self._day)
        chance = self.chance
        if chance.random() < 0.5:
            return chance.choice(language.every_custom(chance, only_first=True))
        return chance.choice(made)()

    def _text(self) -> tuple[dict[str, Any], Holds]:
        key, operator = self.chance.choice(("name", "email", "identifier")), self.chance.choice(FOUR)
        if key == "identifier":
            operator = self.chance.choice(FOUR[:2])
        values = self.chance.sample(("ANA LIMA", "lim", "joão", "rosa1", "a.EXAMPLE", "crm-7", "a", "sa12@"), k=2)
        return self._of(key, operator, values, lambda shown: shown[key])

    def _additional(self) -> tuple[dict[str, Any], Holds]:
        key, operator = self.chance.choice(ADDITIONAL), self.chance.choice(FOUR)
        if key == "country_code":
            operator = self.chance.choice(FOUR[:2])
        values = self.chance.sample(language.ASKED["text"], k=2)
        return self._of(key, operator, values, lambda shown: language.as_text(shown["additional_attributes"].get(key)))

    def _phone_number(self) -> tuple[dict[str, Any], Holds]:
        operator = self.chance.choice((*FOUR, "starts_with"))
        if operator.endswith("equal_to"):
            one = condition("phone_number", operator, [self.chance.choice(("", "+")) + "351900000007"])
            return one, lambda shown: language.text(operator, shown["phone_number"], ["+351900000007"])
        values = [self.chance.choice(("3519", "0001", "+35", "12"))]
        one = condition("phone_number", operator, values)
        if operator == "starts_with":
            beginning = "+" + values[0].removeprefix("+")
            return one, lambda shown: (shown["phone_number"] or "").startswith(beginning)
        return one, lambda shown: language.text(operator, shown["phone_number"], values)

    def _labels(self) -> tuple[dict[str, Any], Holds]:
        operator = self.chance.choice(("equal_to", "not_equal_to", "is_present", "is_not_present"))
        values = self.chance.sample(LABELS, k=2)
        heard = values[:1]
        return condition("labels", operator, values), lambda shown: language.labels(operator, shown["labels"], heard)

    def _blocked(self) -> tuple[dict[str, Any], Holds]:
        operator, value = self.chance.choice(FOUR[:2]), self.chance.random() < 0.5
        one = condition("blocked", operator, [value])
        return one, lambda shown: (shown["blocked"] == value) == (operator == "equal_to")

    def _day(self) -> tuple[dict[str, Any], Holds]:
        key = self.chance.choice(("created_at", "last_activity_at"))
        operator = self.chance.choice(("is_greater_than", "is_less_than"))
        value = (clock.now() + timedelta(days=self.chance.choice((-1, 0, 1)))).date().isoformat()
        return condition(key, operator, [value]), lambda shown: language.day(operator, shown.get(key), value)

    def _of(
        self, key: str, operator: str, values: Sequence[str], found: Callable[[Shown], str | None]
    ) -> tuple[dict[str, Any], Holds]:
        heard = values[:1] if operator.endswith("equal_to") else values
        return condition(key, operator, values), lambda shown: language.text(operator, found(shown), heard)


@pytest.mark.parametrize("seed", [20260])
async def test_what_a_filter_finds_and_counts_is_what_it_means(given: Given, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same filters each time
    book = Book(given, chance)
    await book.fill()

    each = [[one] for one in language.every_custom(chance, only_first=True)]
    mixed = [[book.one() for _ in range(chance.randint(1, 4))] for _ in range(FILTERS)]
    for parts in (*each, *mixed):
        payload, holds = language.joined(chance, parts)
        meant = [person["id"] for person in book.people if holds(person)]

        with given.queries(at_most=6):
            reply = await given.api.post("/contacts/filter", {"payload": payload})
        rest = [await given.api.post(f"/contacts/filter?page={page}", {"payload": payload}) for page in (2, 3)]

        assert reply.status == 200, (payload, reply.body)
        found = [person["id"] for each in (reply, *rest) for person in each.json["payload"]]
        assert found == meant, payload
        assert reply.json["meta"]["count"] == len(meant), payload
