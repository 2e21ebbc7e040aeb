"""How much of what an account is allowed it has, over HTTP, where clients of the family look for it."""

from __future__ import annotations

from typing import Final

import msgspec

from criachat.inboxes import queries
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db
from criachat.kit.http.routes import Routes

# What stands for no limit at all.
UNLIMITED: Final = 100_000

limit_routes = Routes("/enterprise/api/v1/accounts/{account_id}/limits", tag="Accounts", scope="account")


class LimitOut(msgspec.Struct, frozen=True):
    """How many there may be, and how many there are."""

    allowed: int
    consumed: int


class NoLimitOut(msgspec.Struct, frozen=True):
    """An empty object: nothing is counted."""


class LimitsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted, and what is not. Websites do not count among inboxes."""

    conversation: NoLimitOut
    non_web_inboxes: LimitOut
    agents: LimitOut
    captain: NoLimitOut


class AccountLimitsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an account."""

    id: int
    limits: LimitsOut


@limit_routes.get(actors=AGENT)
async def show_limits(db: Db, actor: Actor) -> AccountLimitsOut:
    """How many agents and inboxes the account may have, and how many it has."""
    usage = await queries.find_usage(db, actor.account_id)
    return AccountLimitsOut(
        id=actor.account_id,
        limits=LimitsOut(
            conversation=NoLimitOut(),
            non_web_inboxes=LimitOut(usage.limits.get("inboxes", UNLIMITED), usage.non_web_inboxes),
            agents=LimitOut(usage.limits.get("agents", UNLIMITED), usage.agents),
            captain=NoLimitOut(),
        ),
    )
