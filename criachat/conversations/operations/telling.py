"""Having somebody outside told of a conversation."""

from __future__ import annotations

from datetime import timedelta

from criachat.conversations.events import TellingRequested
from criachat.conversations.models import Conversation
from criachat.conversations.operations.saving import facts
from criachat.conversations.queries import addresses
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import emit
from criachat.kit.outside import check_url

MOST_FORGOTTEN = 1000


async def tell_address(
    tx: Tx, conversation: Conversation, url: str, *, told_as: str, actor: Actor, cause: str | None = None
) -> None:
    """Have this address told of the conversation as it is now, once this transaction is committed."""
    check_url(url)
    address_id = await addresses.keep_address(tx, conversation.account_id, url)
    told = facts(conversation, actor=actor, cause=cause)
    await emit(tx, TellingRequested(**told, address_id=address_id, told_as=told_as))


async def forget_some_addresses(tx: Tx, *, untold_for: timedelta) -> bool:
    """Forget addresses that were told of nothing for so long; whether there may be more of them."""
    return await addresses.delete_addresses(tx, untold_for=untold_for, limit=MOST_FORGOTTEN) == MOST_FORGOTTEN
