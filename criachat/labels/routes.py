"""Labels, over HTTP."""

from __future__ import annotations

from criachat.kit.actors import ADMINISTRATOR, AGENT, Actor
from criachat.kit.db import Db, Tx
from criachat.kit.http.routes import Routes
from criachat.labels import access, operations
from criachat.labels.schemas import LabelOut, LabelParams, LabelsOut, label_out

routes = Routes("/api/v1/accounts/{account_id}/labels", tag="Labels", scope="labels")


@routes.get(actors=AGENT)
async def list_labels(db: Db, actor: Actor) -> LabelsOut:
    """All labels of the account by title."""
    labels = await access.list_labels(db, actor.account_id)
    return LabelsOut(payload=[label_out(label) for label in labels])


@routes.get("/{label_id}", actors=ADMINISTRATOR)
async def show_label(db: Db, actor: Actor, label_id: int) -> LabelOut:
    """One label."""
    return label_out(await access.load_label(db, actor, label_id))


@routes.post(actors=ADMINISTRATOR, wrapper="label")
async def create_label(tx: Tx, actor: Actor, params: LabelParams) -> LabelOut:
    """A new label. Its title is kept in small letters; it may have letters, digits, `-` and `_`."""
    return label_out(await operations.create_label(tx, actor.account_id, params))


@routes.update("/{label_id}", actors=ADMINISTRATOR, wrapper="label")
async def change_label(tx: Tx, actor: Actor, label_id: int, params: LabelParams) -> LabelOut:
    """Change a label. Conversations and contacts that have it are tagged anew a moment later."""
    label = await access.load_label_to_change(tx, actor, label_id)
    return label_out(await operations.change_label(tx, label, params, actor=actor))


@routes.delete("/{label_id}", actors=ADMINISTRATOR)
async def delete_label(tx: Tx, actor: Actor, label_id: int) -> None:
    """Remove a label from the account. What is tagged with it stays tagged."""
    label = await access.load_label_to_change(tx, actor, label_id)
    await operations.delete_label(tx, label)
