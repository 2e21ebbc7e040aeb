from __future__ import annotations

from harness import Api, Given

from criachat.accounts.events import AccountCreated
from criachat.agent_bots import access, operations
from criachat.agent_bots.listeners import forget_connections, introduce_system_bots
from criachat.agent_bots.schemas import BotParams
from criachat.inboxes.events import InboxDeleted


async def system_bot(given: Given, name: str = "House bot") -> tuple[int, str]:
    """A bot of the installation, and its token."""
    world = given.world
    async with world.parts.database.transaction() as tx:
        bot = await operations.create_bot(tx, world.keyring, BotParams(name=name), account_id=None)
    assert bot.access_token is not None
    return bot.id, world.keyring.open(bot.access_token, context=f"agent_bot:{bot.id}:access_token")


async def remove(given: Given, bot_id: int) -> None:
    async with given.world.parts.database.transaction() as tx:
        bot = await access.find_bot_to_change(tx, bot_id)
        assert bot is not None
        await operations.delete_bot(tx, bot)


async def test_a_new_account_hears_of_the_bots_of_the_installation_once(given: Given) -> None:
    bot_id, _ = await system_bot(given)
    new = await given.another_account()
    (created,) = await new.emitted(AccountCreated)

    await new.relayed()
    async with given.world.parts.database.transaction() as tx:
        await introduce_system_bots(tx, [created])

    listed = (await new.api.get("/agent_bots")).json
    await remove(given, bot_id)
    assert [each["id"] for each in listed if each["id"] == bot_id] == [bot_id]
    assert (await new.api.get(f"/agent_bots/{bot_id}")).status == 404


async def test_the_address_of_a_bot_of_the_installation_is_shown_to_nobody(api: Api, given: Given) -> None:
    bot_id, _ = await system_bot(given)
    conversation = await given.conversation()
    path = f"/conversations/{conversation['id']}"

    reply = await api.post(f"{path}/assignments", {"assignee_id": bot_id, "assignee_type": "AgentBot"})
    shown = (await api.get(path)).json["meta"]["assignee"]
    await remove(given, bot_id)

    assert reply.json == shown
    assert (shown["id"], "outgoing_url" in shown) == (bot_id, False)


async def test_an_inbox_that_is_gone_has_no_bot(api: Api, given: Given) -> None:
    inbox = await given.inbox()
    await given.bot(inbox=inbox)
    await api.delete(f"/inboxes/{inbox['id']}")
    (deleted,) = await given.emitted(InboxDeleted)

    for _ in range(2):
        async with given.world.parts.database.transaction() as tx:
            await forget_connections(tx, [deleted])

    async with given.world.parts.database.reading() as db:
        left = await db.fetch_value("SELECT count(*) FROM agent_bot_inboxes WHERE account_id = $1", given.account_id)
    assert left == 0
