"""What conversations tell others."""

from __future__ import annotations

from criachat.conversations.snapshots import ConversationSnapshot
from criachat.kit.events import Event, declare
from criachat.users.snapshots import BotSnapshot, UserSnapshot


class ConversationEvent(Event, frozen=True, kw_only=True):
    """Something about one conversation. `performer` is the person or bot whose request caused it.

    What the thread tells of it is written in the language of the performer's screen, if they had one.
    """

    snapshot: ConversationSnapshot
    performer: UserSnapshot | BotSnapshot | None = None
    screen_locale: str | None = None


@declare("conversation_created", realtime="conversation.created")
class ConversationCreated(ConversationEvent, frozen=True, kw_only=True):
    """A conversation is new."""


@declare("conversation_updated", realtime="conversation.updated")
class ConversationUpdated(ConversationEvent, frozen=True, kw_only=True):
    """One of the watched attributes changed; `changes` has every attribute of that save."""


@declare("conversation_opened", realtime="conversation.opened")
class ConversationOpened(ConversationEvent, frozen=True, kw_only=True):
    """The status became open."""


@declare("conversation_resolved", realtime="conversation.resolved")
class ConversationResolved(ConversationEvent, frozen=True, kw_only=True):
    """The status became resolved."""


@declare("conversation_status_changed", realtime="conversation.status_changed")
class ConversationStatusChanged(ConversationEvent, frozen=True, kw_only=True):
    """The status changed, to whatever it is now."""


@declare("conversation_read", realtime="conversation.read")
class ConversationRead(ConversationEvent, frozen=True, kw_only=True):
    """The contact saw it."""


@declare("conversation_contact_changed", realtime="conversation.contact_changed")
class ConversationContactChanged(ConversationEvent, frozen=True, kw_only=True):
    """It belongs to another contact now."""


@declare("conversation_bot_handoff", realtime="conversation.bot_handoff")
class ConversationBotHandoff(ConversationEvent, frozen=True, kw_only=True):
    """A bot gave it to people."""


@declare("conversation_deleted", realtime="conversation.deleted")
class ConversationDeleted(ConversationEvent, frozen=True, kw_only=True):
    """It is gone."""


@declare("assignee_changed", realtime="assignee.changed")
class AssigneeChanged(ConversationEvent, frozen=True, kw_only=True):
    """It was handed to someone, taken from someone, or both."""

    previous: int | None = None
    current: int | None = None


@declare("team_changed", realtime="team.changed")
class TeamChanged(ConversationEvent, frozen=True, kw_only=True):
    """It was handed to a team, taken from one, or both."""

    previous: int | None = None
    current: int | None = None


@declare("conversation_muted")
class ConversationMuted(ConversationEvent, frozen=True, kw_only=True):
    """Its contact was blocked from it, and with that everywhere."""


@declare("conversation_unmuted")
class ConversationUnmuted(ConversationEvent, frozen=True, kw_only=True):
    """Its contact is heard again."""


@declare("conversation_mentioned", realtime="conversation.mentioned")
class ConversationMentioned(ConversationEvent, frozen=True, kw_only=True):
    """People were asked for by name, or by team, in a private note: these, by user id."""

    user_ids: list[int]


@declare("telling_requested")
class TellingRequested(ConversationEvent, frozen=True, kw_only=True):
    """Somebody wants an address outside told of it, as an event of this name. The address itself stands elsewhere."""

    address_id: int
    told_as: str


@declare("participants_changed")
class ParticipantsChanged(ConversationEvent, frozen=True, kw_only=True):
    """Other people than before are told of what happens in it, by user id. Assignees take part without a word."""

    added: list[int]
    removed: list[int]
