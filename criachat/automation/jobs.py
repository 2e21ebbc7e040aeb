"""Executing macros."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from criachat.automation.actions import Action
from criachat.automation.models import MacroRun
from criachat.automation.operations.performing import Doing, perform
from criachat.automation.queries import macros
from criachat.conversations import access as conversations
from criachat.conversations.models import Conversation
from criachat.conversations.snapshots import ACTIVITY
from criachat.kit import clock
from criachat.kit.actors import Actor
from criachat.kit.errors import NotAuthorized, NotFound, Refused
from criachat.kit.jobs import JobContext, Jobs
from criachat.kit.languages import Language, language_of
from criachat.messages import access as messages
from criachat.messages.errors import UnknownSignedId
from criachat.messages.models import Draft, StoredFile
from criachat.messages.operations.automatic import say_by_itself
from criachat.messages.uploading import claim_keys, keep_copy

jobs = Jobs("automation")

NOT_ALL_DONE: Mapping[Language, str] = {
    "en": "The macro {macro} of {actor} could not do everything: {reasons}",
    "pt_BR": "A macro {macro} de {actor} não pôde fazer tudo: {reasons}",
}
LONGEST_REASON = 200
# A job that failed for good can be run again for ninety days; a run whose job is gone stays where it is for ever.
RUNS_KEPT_FOR = timedelta(days=91)
REMOVED_AT_ONCE = 1_000


class RunMacro(msgspec.Struct, frozen=True):
    """A macro to be executed in one conversation."""

    account_id: int
    run_id: int


@jobs.define()
async def run_macro(context: JobContext, params: RunMacro) -> None:
    """Do its actions one after another, each once, also when this runs twice; what cannot be done is passed over.

    The thread tells of what was not done.
    """
    async with context.database.reading() as db:
        run = await macros.find_run(db, params.account_id, params.run_id)
    if run is None:
        return
    for step in range(run.done, len(run.actions)):
        await _take(context, run, step)
    await _end(context, run)


async def _take(context: JobContext, run: MacroRun, step: int) -> None:
    """Do one action and write down that it is done, together; or that it could not be, and why."""
    action = msgspec.convert(run.actions[step], Action)
    doing = Doing(
        actor=msgspec.convert(run.actor, Actor),
        cause=f"macro:{run.macro_id}",
        limit_per_minute=context.settings.message_per_minute_limit,
        files=await _copies(context, run.account_id, action),
    )
    async with context.database.transaction() as tx:
        if not await macros.take_step(tx, run, step):
            return
        try:
            async with tx.savepoint():
                conversation = await conversations.load_conversation(tx, doing.actor, run.display_id)
                await conversations.lock_conversation(tx, conversation)
                conversation = await conversations.load_again(tx, conversation, actor=doing.actor)
                await perform(tx, conversation, action, doing)
        except (NotFound, NotAuthorized):
            # There is no such conversation for whoever pressed it, and so no thread to tell them in.
            return
        except Refused as refusal:
            reason = refusal.text.removeprefix("Validation failed: ")[:LONGEST_REASON]
            await macros.add_skipped(tx, run, f"{action.action_name} ({reason})")


async def _copies(context: JobContext, account_id: int, action: Action) -> tuple[StoredFile, ...]:
    """A copy of the file that an action sends, for its message alone; none when the file is gone."""
    if action.action_name != "send_attachment":
        return ()
    async with context.database.reading() as db:
        upload = await messages.find_upload(db, account_id, action.action_params[0])
    if upload is None:
        return ()
    (key,) = await claim_keys(context.database, account_id, [upload.filename])
    try:
        return (await keep_copy(context.files, key, upload),)
    except UnknownSignedId:
        return ()


async def _end(context: JobContext, run: MacroRun) -> None:
    """Forget the run; the thread tells of what was not done."""
    async with context.database.transaction() as tx:
        ended = await macros.end_run(tx, run)
        if ended is None or not ended.skipped:
            return

        def write(conversation: Conversation) -> Draft:
            sentence = NOT_ALL_DONE[language_of(conversation.account_locale)]
            names = {"macro": ended.macro_name, "actor": ended.actor["name"], "reasons": "; ".join(ended.skipped)}
            return Draft(message_type=ACTIVITY, content=sentence.format(**names), client_message_id=f"macro:{run.id}")

        await say_by_itself(tx, run.account_id, run.display_id, write, cause=f"macro:{run.macro_id}")


@jobs.schedule("47 4 * * *")
async def forget_lost_runs(context: JobContext) -> None:
    """Forget what nobody will go on with, a batch in a transaction of its own."""
    before = clock.now() - RUNS_KEPT_FOR
    count = REMOVED_AT_ONCE
    while count == REMOVED_AT_ONCE:
        async with context.database.transaction() as tx:
            count = await macros.delete_lost_runs(tx, before, limit=REMOVED_AT_ONCE)
