"""What can be done with labels."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import invalidate_cache, take_turn
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.events import by, emit
from criachat.labels import queries
from criachat.labels.errors import TitleTaken, TooManyLabels
from criachat.labels.events import LabelRenamed
from criachat.labels.models import DEFAULT_COLOR, MOST_LABELS_OF_ACCOUNT, Label
from criachat.labels.schemas import LabelParams
from criachat.labels.titles import normalised


async def create_label(tx: Tx, account_id: int, params: LabelParams) -> Label:
    """A new label; nothing has it yet."""
    title = normalised(params.title or None)
    await take_turn(tx, account_id)
    label = await queries.insert_label(
        tx,
        account_id,
        title=title,
        description=params.description or None,
        color=params.color or DEFAULT_COLOR,
        show_on_sidebar=None if params.show_on_sidebar is UNSET else params.show_on_sidebar,
    )
    if label is None:
        is_full = await queries.count_labels(tx, account_id) >= MOST_LABELS_OF_ACCOUNT
        raise TooManyLabels if is_full else TitleTaken
    await invalidate_cache(tx, account_id, "label")
    return label


async def change_label(tx: Tx, label: Label, params: LabelParams, *, actor: Actor) -> Label:
    """Change what was sent. What has the label keeps it under its new title, a moment later."""
    changed = msgspec.structs.replace(
        label,
        title=label.title if params.title is UNSET else normalised(params.title),
        description=label.description if params.description is UNSET else params.description or None,
        color=label.color if params.color is UNSET else params.color or DEFAULT_COLOR,
        show_on_sidebar=label.show_on_sidebar if params.show_on_sidebar is UNSET else params.show_on_sidebar,
    )
    if changed == label:
        return label
    if not await queries.save_label(tx, changed):
        raise TitleTaken
    if changed.title != label.title:
        await emit(
            tx,
            LabelRenamed(
                account_id=label.account_id,
                label_id=label.id,
                previous=label.title,
                current=changed.title,
                **by(actor),
            ),
        )
    await invalidate_cache(tx, label.account_id, "label")
    return changed


async def delete_label(tx: Tx, label: Label) -> None:
    """Remove it from the account. What is tagged with it stays tagged."""
    await queries.delete_label(tx, label)
    await invalidate_cache(tx, label.account_id, "label")
