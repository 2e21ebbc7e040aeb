"""What signing in answers to what happens in the team."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.auth.jobs import Invited, Person, jobs, send_confirmation, send_invitation
from criachat.auth.queries.addressees import list_newcomers
from criachat.kit.db import Tx
from criachat.kit.events import Listeners
from criachat.users.events import AgentAdded

listeners = Listeners("auth")


@listeners.on(AgentAdded)
async def welcome_newcomers(tx: Tx, events: Sequence[AgentAdded]) -> None:
    """Write to who has yet to say that it is them: to choose a password, or to confirm the address they gave."""
    newcomers = {each.user_id: each for each in await list_newcomers(tx, [event.user_id for event in events])}
    invited = [
        Invited(event.user_id, event.account_id)
        for event in events
        if event.user_id in newcomers and not newcomers[event.user_id].has_password
    ]
    themselves = [Person(each.user_id) for each in newcomers.values() if each.has_password]
    keys = [f"{each.user_id} {each.account_id}" for each in invited]
    await jobs.enqueue_all(tx, send_invitation, invited, dedupe_keys=keys)
    await jobs.enqueue_all(tx, send_confirmation, themselves, dedupe_keys=[str(each.user_id) for each in themselves])
