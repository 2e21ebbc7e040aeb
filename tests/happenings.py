"""Everything that can happen in an account and is told of, each made to happen through the public door."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from apps import App, open_app, signed
from harness import Given, Person, Reply
from receivers import Receiver
from visitors import signed_in

from criachat.kit import clock


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """An inbox with an agent and a contact who talk to each other."""

    given: Given
    receiver: Receiver
    inbox: Any
    ana: Person
    rosa: App
    conversation: Any

    @property
    def path(self) -> str:
        """The conversation's address."""
        return f"/conversations/{self.conversation['id']}"


numbers = itertools.count(1)
Act = Callable[[Stage], Awaitable[object]]


async def set_stage(given: Given, receiver: Receiver) -> Stage:
    """Nothing has happened yet but that they are there."""
    inbox = await given.inbox("App", channel={"type": "api", "webhook_url": receiver.url})
    ana = await given.agent("Ana", inbox=inbox)
    rosa = await open_app(given, inbox, name="Rosa Lind")
    conversation = await rosa.conversation()
    await given.delivered()
    return Stage(given=given, receiver=receiver, inbox=inbox, ana=ana, rosa=rosa, conversation=conversation)


def done(reply: Reply) -> Any:
    assert reply.status in (200, 204), (reply.status, reply.body)
    return reply.json if reply.body else None


async def nothing(_: Stage) -> None:
    """It has happened already."""


async def make_label(stage: Stage) -> Any:
    return done(await stage.given.api.post("/labels", {"title": f"urgent-{next(numbers)}"}))


async def rename_account(stage: Stage) -> None:
    done(await stage.given.api.patch("", {"name": f"Loja Azul {next(numbers)}"}))


async def notify_boss(stage: Stage) -> Any:
    """A colleague asks the boss for a look; what the boss is told of it."""
    given = stage.given
    colleague = given.api.acting_as(await given.administrator("Bruno"))
    note = {"content": f"[@B](mention://user/{given.boss.id}/B)", "private": True}
    done(await colleague.post(f"{stage.path}/messages", note))
    await given.relayed()
    return done(await given.api.get("/notifications"))["data"]["payload"][0]


async def sign_in(stage: Stage) -> None:
    await signed_in(stage.given, await stage.given.agent("Davi"))


async def sign_out(stage: Stage) -> None:
    browser = await signed_in(stage.given, await stage.given.agent("Davi"))
    done(await browser.delete("/auth/sign_out"))


async def read_notification(stage: Stage) -> None:
    notification = await notify_boss(stage)
    done(await stage.given.api.patch(f"/notifications/{notification['id']}"))


async def remove_notification(stage: Stage) -> None:
    notification = await notify_boss(stage)
    done(await stage.given.api.delete(f"/notifications/{notification['id']}"))


async def rename_label(stage: Stage) -> None:
    label = await make_label(stage)
    done(await stage.given.api.patch(f"/labels/{label['id']}", {"title": f"very-{label['title']}"}))


async def redefine(stage: Stage) -> None:
    field = {"attribute_display_name": "Plano", "attribute_key": "plan", "attribute_model": 1}
    definition = done(await stage.given.api.post("/custom_attribute_definitions", field))
    done(await stage.given.api.patch(f"/custom_attribute_definitions/{definition['id']}", {"attribute_key": "tier"}))


async def hire(stage: Stage) -> None:
    await stage.given.agent("Carla")


async def promote(stage: Stage) -> None:
    done(await stage.given.api.patch(f"/agents/{stage.ana.id}", {"role": "administrator"}))


async def dismiss(stage: Stage) -> None:
    done(await stage.given.api.delete(f"/agents/{stage.ana.id}"))


async def meet(stage: Stage) -> None:
    await stage.given.contact("Eva Lind")


async def rename_contact(stage: Stage) -> None:
    done(await stage.rosa.patch("", {"name": "Rosa Maria Lind"}))


async def delete_contact(stage: Stage) -> None:
    contact = await stage.given.contact("Eva Lind")
    done(await stage.given.api.delete(f"/contacts/{contact['id']}"))


async def merge(stage: Stage) -> None:
    """Somebody proves in their second session that they are the same as in the first."""
    proof = signed(stage.inbox, "rosa-7")
    await open_app(stage.given, stage.inbox, **proof)
    done(await stage.rosa.patch("", proof))


async def open_conversation(stage: Stage) -> None:
    await stage.rosa.conversation()


async def label_conversation(stage: Stage) -> None:
    done(await stage.given.api.post(f"{stage.path}/labels", {"labels": ["billing"]}))


async def resolve(stage: Stage) -> None:
    done(await stage.given.api.post(f"{stage.path}/toggle_status", {"status": "resolved"}))


async def resolve_and_reopen(stage: Stage) -> None:
    await resolve(stage)
    done(await stage.given.api.post(f"{stage.path}/toggle_status", {"status": "open"}))


async def see(stage: Stage) -> None:
    done(await stage.rosa.post(f"{stage.path}/update_last_seen"))


async def hand_over(stage: Stage) -> None:
    done(await stage.given.api.post(f"{stage.path}/assignments", {"assignee_id": stage.ana.id}))


async def hand_to_team(stage: Stage) -> None:
    team = done(await stage.given.api.post("/teams", {"name": f"sales-{next(numbers)}"}))
    done(await stage.given.api.post(f"{stage.path}/assignments", {"team_id": team["id"]}))


async def hand_from_bot(stage: Stage) -> None:
    bot = stage.given.api.acting_as(await stage.given.bot())
    done(await bot.post(f"{stage.path}/toggle_status", {"status": "pending"}))
    done(await bot.post(f"{stage.path}/toggle_status", {"status": "open"}))


async def mute_conversation(stage: Stage) -> None:
    done(await stage.given.api.post(f"{stage.path}/mute"))


async def unmute_conversation(stage: Stage) -> None:
    await mute_conversation(stage)
    done(await stage.given.api.post(f"{stage.path}/unmute"))


async def mention_boss(stage: Stage) -> None:
    boss = stage.given.boss
    await stage.given.message(stage.conversation, f"[@{boss.name}](mention://user/{boss.id}/B)", private=True)
    await stage.given.relayed()


async def add_participant(stage: Stage) -> None:
    done(await stage.given.api.post(f"{stage.path}/participants", {"user_ids": [stage.ana.id]}))


async def ask_for_transcript(stage: Stage) -> None:
    done(await stage.given.api.post(f"{stage.path}/transcript", {"email": "rosa@example.net"}))


async def have_address_told(stage: Stage) -> None:
    actions = [{"action_name": "send_webhook_event", "action_params": [stage.receiver.url]}]
    macro = done(await stage.given.api.post("/macros", {"name": "Tell the CRM", "actions": actions}))["payload"]
    body = {"conversation_ids": [stage.conversation["id"]]}
    done(await stage.given.api.post(f"/macros/{macro['id']}/execute", body))
    await stage.given.worked()


async def delete_conversation(stage: Stage) -> None:
    another = await stage.rosa.conversation()
    done(await stage.given.api.delete(f"/conversations/{another['id']}"))


async def make_inbox(stage: Stage) -> None:
    await stage.given.inbox("Another")


async def rename_inbox(stage: Stage) -> None:
    done(await stage.given.api.patch(f"/inboxes/{stage.inbox['id']}", {"name": "Our app"}))


async def delete_inbox(stage: Stage) -> None:
    inbox = await stage.given.inbox("Another")
    done(await stage.given.api.delete(f"/inboxes/{inbox['id']}"))


async def say(stage: Stage) -> None:
    await stage.rosa.say(stage.conversation, "Olá!")


async def take_back(stage: Stage) -> None:
    message = await stage.given.message(stage.conversation, "Oops")
    done(await stage.given.api.delete(f"{stage.path}/messages/{message['id']}"))


async def answer(stage: Stage) -> None:
    await stage.given.message(stage.conversation, "Como posso ajudar?")


async def answer_twice(stage: Stage) -> None:
    await answer(stage)
    await say(stage)
    await answer(stage)


async def fail_to_deliver(stage: Stage) -> None:
    stage.receiver.always_answers(400)
    await answer(stage)
    await stage.given.delivered()


async def retry(stage: Stage) -> None:
    stage.receiver.always_answers(400)
    message = await stage.given.message(stage.conversation, "Como posso ajudar?")
    await stage.given.delivered()
    await stage.given.relayed()
    done(await stage.given.api.post(f"{stage.path}/messages/{message['id']}/retry"))


async def deliver_after_all(stage: Stage) -> None:
    await fail_to_deliver(stage)
    stage.receiver.always_answers(200)
    clock.travel(timedelta(seconds=5))
    await stage.given.delivered()


async def lose_receiver(stage: Stage) -> None:
    stage.receiver.always_answers(410)
    await stage.given.webhook(f"{stage.receiver.url}/2", "message_created")
    await answer(stage)
    await stage.given.delivered()


# Every event that is raised today, and something that raises it.
HAPPENINGS: Mapping[str, Act] = {
    "account_created": nothing,
    "account_cache_invalidated": make_label,
    "administration_changed": rename_account,
    "agent_added": hire,
    "agent_updated": promote,
    "agent_removed": dismiss,
    "signed_in": sign_in,
    "signed_out": sign_out,
    "label_renamed": rename_label,
    "attribute_definition_changed": redefine,
    "notification_created": notify_boss,
    "notification_updated": read_notification,
    "notification_deleted": remove_notification,
    "contact_created": meet,
    "contact_updated": rename_contact,
    "contact_deleted": delete_contact,
    "contact_merged": merge,
    "conversation_created": open_conversation,
    "conversation_updated": label_conversation,
    "conversation_opened": resolve_and_reopen,
    "conversation_resolved": resolve,
    "conversation_status_changed": resolve,
    "conversation_read": see,
    "conversation_contact_changed": merge,
    "conversation_bot_handoff": hand_from_bot,
    "conversation_muted": mute_conversation,
    "conversation_unmuted": unmute_conversation,
    "conversation_mentioned": mention_boss,
    "conversation_deleted": delete_conversation,
    "participants_changed": add_participant,
    "transcript_requested": ask_for_transcript,
    "telling_requested": have_address_told,
    "assignee_changed": hand_over,
    "team_changed": hand_to_team,
    "inbox_created": make_inbox,
    "inbox_updated": rename_inbox,
    "inbox_deleted": delete_inbox,
    "message_created": say,
    "message_updated": take_back,
    "message_retried": retry,
    "first_reply_created": answer,
    "reply_created": answer_twice,
    "delivery_failed": fail_to_deliver,
    "delivery_recovered": deliver_after_all,
    "webhook_disabled": lose_receiver,
}
# Declared for slices that are still to come.
NOT_RAISED_YET: frozenset[str] = frozenset()
