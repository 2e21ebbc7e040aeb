"""How much of what an account is allowed it has, over HTTP, where clients of the family look for it."""

from __future__ import annotations

from typing import Final

from criachat.inboxes import queries
from criachat.inboxes.schemas import AccountLimitsOut, LimitOut, LimitsOut, NoLimitOut
from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db
from criachat.kit.http.routes import Routes

# What stands for no limit at all.
UNLIMITED: Final = 100_000

routes = Routes("/enterprise/api/v1/accounts/{account_id}/limits", tag="Accounts", scope="account")


@routes.get(actors=AGENT)
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
