"""What happened to a conversation, in one plain sentence, in the account's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from criachat.conversations.events import (
    ConversationCreated,
    ConversationMuted,
    ConversationUnmuted,
    ConversationUpdated,
)
from criachat.conversations.snapshots import ConversationSnapshot
from criachat.inboxes.models import API
from criachat.kit.languages import Language
from criachat.messages.operations.saying import BY_MESSAGE
from criachat.users.snapshots import BotSnapshot, UserSnapshot

# What webhooks say led to it, when they could not tell a bot.
BY_FAILED_BOT = "delivery:agent_bot:"

SENTENCES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "resolved": "Conversation was resolved by {actor}",
        "open": "Conversation was reopened by {actor}",
        "pending": "Conversation was marked as pending by {actor}",
        "snoozed": "Conversation was snoozed by {actor}",
        "reopened_by_message": "System reopened the conversation due to a new incoming message.",
        "bot_failed": "System opened the conversation because its bot could not be reached.",
        "priority_set": "{actor} set the priority to {new}",
        "priority_changed": "{actor} changed the priority from {old} to {new}",
        "priority_removed": "{actor} removed the priority {old}",
        "self_assigned": "{actor} took this conversation",
        "assigned": "{actor} assigned this conversation to {assignee}",
        "unassigned": "{actor} took this conversation from its assignee",
        "team_assigned": "{actor} handed this conversation to team {team}",
        "team_assigned_with_agent": "{actor} handed this conversation to {assignee} of team {team}",
        "team_removed": "{actor} took this conversation from team {team}",
        "muted": "{actor} muted this conversation",
        "unmuted": "{actor} unmuted this conversation",
        "labels_added": "{actor} added {labels}",
        "labels_removed": "{actor} removed {labels}",
        "low": "low",
        "medium": "medium",
        "high": "high",
        "urgent": "urgent",
        "contact": "Contact",
    },
    "pt_BR": {
        "resolved": "A conversa foi resolvida por {actor}",
        "open": "A conversa foi reaberta por {actor}",
        "pending": "A conversa foi marcada como pendente por {actor}",
        "snoozed": "A conversa foi adiada por {actor}",
        "reopened_by_message": "O sistema reabriu a conversa porque chegou uma nova mensagem.",
        "bot_failed": "O sistema abriu a conversa porque não foi possível avisar o robô.",
        "priority_set": "{actor} definiu a prioridade como {new}",
        "priority_changed": "{actor} mudou a prioridade de {old} para {new}",
        "priority_removed": "{actor} removeu a prioridade {old}",
        "self_assigned": "{actor} assumiu esta conversa",
        "assigned": "{actor} atribuiu esta conversa a {assignee}",
        "unassigned": "{actor} retirou o responsável por esta conversa",
        "team_assigned": "{actor} passou esta conversa para a equipe {team}",
        "team_assigned_with_agent": "{actor} passou esta conversa para {assignee}, da equipe {team}",
        "team_removed": "{actor} retirou esta conversa da equipe {team}",
        "muted": "{actor} silenciou esta conversa",
        "unmuted": "{actor} reativou o som desta conversa",
        "labels_added": "{actor} adicionou {labels}",
        "labels_removed": "{actor} removeu {labels}",
        "low": "baixa",
        "medium": "média",
        "high": "alta",
        "urgent": "urgente",
        "contact": "Contato",
    },
}


class Activity(msgspec.Struct, frozen=True):
    """One thing that happened: which sentence tells of it, and the names in it. A translated name stands as its key."""

    key: str
    names: Mapping[str, str] = {}
    translated: Mapping[str, str] = {}

    def text(self, language: Language) -> str:
        """The sentence in this language."""
        sentences = SENTENCES[language]
        words = {name: sentences[key] for name, key in self.translated.items()}
        return sentences[self.key].format(**self.names, **words)


Told = ConversationCreated | ConversationUpdated | ConversationMuted | ConversationUnmuted


def activities_of(event: Told, team_names: Mapping[int, str]) -> list[Activity]:
    """What the team is told of this change, in the order of the contract; a new conversation tells whose it is."""
    if isinstance(event, ConversationMuted | ConversationUnmuted):
        return _muting(event)
    found: list[Activity | None] = []
    if isinstance(event, ConversationUpdated):
        found += [_status(event), _priority(event)]
        found += _labels(event)
    found.append(_assignment(event, team_names))
    return [activity for activity in found if activity is not None]


def left_team(event: Told) -> int | None:
    """The team it was taken from, whose name the event does not hold."""
    if isinstance(event, ConversationMuted | ConversationUnmuted):
        return None
    old, new = _change(event, "team_id")
    return old if new is None and event.performer is not None else None


def _muting(event: ConversationMuted | ConversationUnmuted) -> list[Activity]:
    key = "muted" if isinstance(event, ConversationMuted) else "unmuted"
    return [] if event.performer is None else [Activity(key, {"actor": event.performer.name})]


def _change(event: ConversationCreated | ConversationUpdated, name: str) -> tuple[Any, Any]:
    old, new = (event.changes or {}).get(name, (None, None))
    return old, new


def _status(event: ConversationUpdated) -> Activity | None:
    old, new = _change(event, "status")
    if old == new:
        return None
    is_by_message = (event.cause or "").startswith(BY_MESSAGE)
    if is_by_message and (old, new) == ("resolved", "open") and event.snapshot.inbox.channel_type == API:
        return Activity("reopened_by_message")
    if (event.cause or "").startswith(BY_FAILED_BOT):
        return Activity("bot_failed")
    if event.performer is not None:
        return Activity(new, {"actor": event.performer.name})
    if event.actor_type == "contact" and new == "resolved":
        name = event.snapshot.contact.name
        return Activity(new, {"actor": name.capitalize()}) if name else Activity(new, translated={"actor": "contact"})
    return None


def _priority(event: ConversationUpdated) -> Activity | None:
    old, new = _change(event, "priority")
    if old == new or event.performer is None:
        return None
    key = "priority_changed" if old and new else "priority_set" if new else "priority_removed"
    values = {name: value for name, value in (("old", old), ("new", new)) if value}
    return Activity(key, {"actor": event.performer.name}, values)


def _labels(event: ConversationUpdated) -> list[Activity]:
    old, new = _change(event, "label_list")
    if old == new or event.performer is None:
        return []
    added = [label for label in new if label not in old]
    removed = [label for label in old if label not in new]
    return [
        Activity(key, {"actor": event.performer.name, "labels": ", ".join(labels)})
        for key, labels in (("labels_added", added), ("labels_removed", removed))
        if labels
    ]


def _assignment(event: ConversationCreated | ConversationUpdated, team_names: Mapping[int, str]) -> Activity | None:
    """Whose it is now. Of team and assignee in one change, the team's sentence tells of both."""
    performer = event.performer
    if performer is None:
        return None
    is_new = isinstance(event, ConversationCreated)
    changed = _changed_names(event.snapshot) if is_new else frozenset(event.changes or ())
    has_new_assignee = not changed.isdisjoint(("assignee_id", "assignee_agent_bot_id"))
    if "team_id" in changed:
        return _team(event, performer, team_names, has_new_assignee=has_new_assignee)
    return _assignee(event.snapshot, performer) if has_new_assignee else None


def _changed_names(conversation: ConversationSnapshot) -> frozenset[str]:
    """What a new conversation already has."""
    having = (("team_id", conversation.team), ("assignee_id", conversation.assignee))
    return frozenset(name for name, value in having if value is not None)


def _team(
    event: ConversationCreated | ConversationUpdated,
    performer: UserSnapshot | BotSnapshot,
    team_names: Mapping[int, str],
    *,
    has_new_assignee: bool,
) -> Activity:
    team, assignee = event.snapshot.team, event.snapshot.assignee
    if team is None:
        old, _ = _change(event, "team_id")
        return Activity("team_removed", {"actor": performer.name, "team": team_names.get(old, f"#{old}")})
    names = {"actor": performer.name, "team": team.name}
    if has_new_assignee and assignee is not None:
        return Activity("team_assigned_with_agent", {**names, "assignee": assignee.name})
    return Activity("team_assigned", names)


def _assignee(conversation: ConversationSnapshot, performer: UserSnapshot | BotSnapshot) -> Activity:
    assignee = conversation.assignee
    if assignee is None:
        return Activity("unassigned", {"actor": performer.name})
    if type(assignee) is type(performer) and assignee.id == performer.id:
        return Activity("self_assigned", {"actor": performer.name})
    return Activity("assigned", {"actor": performer.name, "assignee": assignee.name})
