"""From events to what the audit log says of them: what was changed, by whom, and how. Pure rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from criachat.accounts.events import AdministrationChanged
from criachat.audit.models import Change
from criachat.auth.events import SignedIn, SignedOut
from criachat.contacts.events import ContactMerged
from criachat.conversations.events import ConversationDeleted
from criachat.inboxes.events import InboxCreated, InboxDeleted, InboxEvent
from criachat.kit import clock
from criachat.kit.events import Event
from criachat.labels.events import LabelRenamed
from criachat.users.events import AgentAdded, AgentRemoved, AgentUpdated

Heard = (
    AdministrationChanged
    | AgentAdded
    | AgentUpdated
    | AgentRemoved
    | InboxEvent
    | LabelRenamed
    | ConversationDeleted
    | ContactMerged
    | SignedIn
    | SignedOut
)
USER_TYPES: Final[Mapping[str, str]] = {"user": "User", "agent_bot": "AgentBot", "platform_app": "PlatformApp"}
MEMBERSHIP: Final = "AccountUser"
# What people do to themselves all day says nothing about the account.
PERSONAL: Final = frozenset(("availability", "auto_offline"))


def change_of(event: Heard) -> Change | None:
    """What the log says of this event; None when there is nothing to say."""
    match event:
        case AdministrationChanged():
            return _change(event, event.auditable_type, event.auditable_id, event.action)
        case AgentAdded() | AgentUpdated() | AgentRemoved():
            return _of_membership(event)
        case InboxEvent():
            return _of_inbox(event)
        case LabelRenamed():
            return _change(event, "Label", event.label_id, "update", {"title": [event.previous, event.current]})
        case ConversationDeleted():
            number = {"display_id": [event.snapshot.id, None]}
            return _change(event, "Conversation", event.snapshot.conversation_id, "destroy", number)
        case ContactMerged():
            return _of_merge(event)
        case SignedIn() | SignedOut():
            return _change(event, "User", event.actor_id or 0, "sign_in" if isinstance(event, SignedIn) else "sign_out")


def _of_membership(event: AgentAdded | AgentUpdated | AgentRemoved) -> Change | None:
    match event:
        case AgentAdded():
            return _change(event, MEMBERSHIP, event.user_id, "create", {"user_id": [None, event.user_id]})
        case AgentRemoved():
            return _change(event, MEMBERSHIP, event.user_id, "destroy", {"user_id": [event.user_id, None]})
        case AgentUpdated():
            told = {name: values for name, values in (event.changes or {}).items() if name not in PERSONAL}
            return _change(event, MEMBERSHIP, event.user_id, "update", told) if told else None


def _of_merge(event: ContactMerged) -> Change | None:
    """Whose two contacts became one, which nobody can undo; what a visitor's proof joins is nobody's doing."""
    if event.actor_type not in USER_TYPES:
        return None
    merged = {"merged_contact_id": [None, event.merged_contact_id]}
    return _change(event, "Contact", event.snapshot.id, "update", merged)


def _of_inbox(event: InboxEvent) -> Change | None:
    name = event.snapshot.name
    match event:
        case InboxCreated():
            return _change(event, "Inbox", event.snapshot.id, "create", {"name": [None, name]})
        case InboxDeleted():
            return _change(event, "Inbox", event.snapshot.id, "destroy", {"name": [name, None]})
        case _:
            return _change(event, "Inbox", event.snapshot.id, "update") if event.changes else None


def _change(
    event: Event, kind: str, object_id: int, action: str, changes: Mapping[str, list[Any]] | None = None
) -> Change:
    told = event.changes or {} if changes is None else changes
    return Change(
        event_id=event.id,
        auditable_type=kind,
        auditable_id=object_id,
        action=action,
        user_type=USER_TYPES.get(event.actor_type or ""),
        user_id=event.actor_id if event.actor_type in USER_TYPES else None,
        audited_changes=_shown(action, told),
        cause=event.cause,
        created_at=event.created_at or clock.now(),
    )


def _shown(action: str, changes: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Both values of what was changed; the one there is of what was made or removed."""
    if action == "update":
        return dict(changes)
    at = 0 if action == "destroy" else 1
    return {name: values[at] for name, values in changes.items()}
