"""Rules on the wire."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.automation.models import Rule
from criachat.kit.texts import Long, Short
from criachat.kit.times import unix


class RuleParams(msgspec.Struct, kw_only=True):
    """What a rule is; what is not sent stays as it is, and lists are replaced."""

    name: Short | UnsetType | None = UNSET
    description: Long | UnsetType | None = UNSET
    event_name: Any = UNSET
    active: bool | UnsetType | None = UNSET
    conditions: Any = UNSET
    actions: Any = UNSET


class RuleOut(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    id: int
    account_id: int
    name: str
    description: str | None
    event_name: str
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    created_on: int
    active: bool


class RuleReply(msgspec.Struct, frozen=True):
    """One rule, as it is wrapped everywhere but where it is created."""

    payload: RuleOut


class RulesReply(msgspec.Struct, frozen=True):
    """All rules of the account, oldest first."""

    payload: list[RuleOut]


def rule_out(rule: Rule) -> RuleOut:
    """The rule as administrators see it."""
    return RuleOut(
        id=rule.id,
        account_id=rule.account_id,
        name=rule.name,
        description=rule.description,
        event_name=rule.event_name,
        conditions=rule.conditions,
        actions=rule.actions,
        created_on=unix(rule.created_at),
        active=rule.active,
    )
