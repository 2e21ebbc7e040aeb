"""The actions of rules and macros: what there is to do, and with which parameters.

They are checked when they are saved, so that what was saved can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import msgspec

from criachat.automation.errors import ActionsInvalid, AttachmentInvalid
from criachat.conversations.snapshots import PRIORITIES, STATUSES
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.errors import Invalid
from criachat.kit.files import Files
from criachat.kit.http.binding import id_of
from criachat.kit.outside import check_url
from criachat.kit.texts import told_url
from criachat.labels.titles import LONGEST_LABEL, MOST_LABELS, label_titles
from criachat.messages.content import LONGEST_CONTENT
from criachat.teams import access as teams
from criachat.users import access as people

MOST_ACTIONS: Final = 50
MOST_TEAMS: Final = 100
# In a hundred conversations, where a macro is executed at most, they are as many as an account may tell in an hour.
MOST_ADDRESSES: Final = 10
LONGEST_ADDRESSES: Final = 5_000
TELL: Final = "send_webhook_event"
MAIL_TRANSCRIPT: Final = "send_email_transcript"
NOBODY: Final = "nil"
NOTHING: Final = (None, "", NOBODY, 0, "0")

Reader = Callable[[Sequence[Any]], list[Any]]
"""The parameters as they are kept; raises `Wrong` for what the action cannot use."""


class Action(msgspec.Struct, frozen=True):
    """One thing to do, and with what."""

    action_name: str
    action_params: list[Any] = []


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What rules may do, or macros. `agent_words` stand for an agent who is known only when it is done."""

    names: frozenset[str]
    agent_words: frozenset[str]


class Wrong(ValueError):
    """Parameters that an action cannot use; the text says what it takes."""


def read_actions(
    sent: object, kind: Kind, *, files: Files, account_id: int, attached: Collection[int] = ()
) -> list[Action]:
    """The actions that were sent, as they are kept, or a refusal that names the first one that cannot be done.

    A file is named by the signed id of its upload, and kept by its number. A number is taken for a file only when it
    is `attached` already. Whether agents, teams and files exist is for `check_people` and the keeper of files to say.
    """
    if not isinstance(sent, list) or not sent:
        raise ActionsInvalid
    parts = cast(list[Any], sent)
    if len(parts) > MOST_ACTIONS:
        raise ActionsInvalid(f"Actions can be {MOST_ACTIONS} at most")
    named = [_named(part) for part in parts]
    if sum(name == TELL for name, _ in named) > MOST_ADDRESSES:
        raise ActionsInvalid(f"Automation action {TELL} can be used {MOST_ADDRESSES} times at most")
    unknown = sorted({name for name, _ in named} - kind.names)
    if unknown:
        raise ActionsInvalid(f"Automation actions {', '.join(unknown)[:500]} not supported.")
    numbers = partial(_file, files=files, account_id=account_id, attached=attached)
    return [Action(name, _read(name, params, kind, numbers)) for name, params in named]


def kept_actions(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """The actions as they are stored and shown."""
    return [msgspec.structs.asdict(action) for action in actions]


def told_actions(actions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The actions as the log of changes shows them: of addresses, what is no secret."""
    return [
        {**action, "action_params": [told_url(each) for each in action["action_params"]]}
        if action["action_name"] == TELL
        else dict(action)
        for action in actions
    ]


def scopes_of(actions: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a token has to cover whose owner has these done: whatever it takes to do them one by one."""
    return sorted({scope for action in actions for scope in SCOPES.get(action["action_name"], (CHANGES,))})


def told_by(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many outside are told of a conversation, each time these are done in one, by the limit on that."""
    told = {"macro-address": 0, "macro-transcript": 0}
    for action in actions:
        if action["action_name"] == TELL:
            told["macro-address"] += 1
        elif action["action_name"] == MAIL_TRANSCRIPT:
            told["macro-transcript"] += action["action_params"][0].count(",") + 1
    return told


async def check_people(db: Db, actor: Actor, actions: Sequence[Action]) -> None:
    """Refuse actions for agents or teams that do not belong to the account."""
    agent_ids = {each for action in actions if action.action_name == "assign_agent" for each in _numbers(action)}
    team_ids = {each for action in actions for each in _team_ids(action)}
    if agent_ids:
        known = {each.id for each in await people.list_colleagues(db, actor, sorted(agent_ids))}
        _refuse_unknown("agents", agent_ids - known)
    if team_ids:
        known = {each.id for each in await teams.list_teams(db, actor)}
        _refuse_unknown("teams", team_ids - known)


def _named(part: object) -> tuple[str, list[Any]]:
    action = cast(dict[str, Any], part) if isinstance(part, dict) else {}
    name, params = action.get("action_name"), action.get("action_params")
    if not isinstance(name, str) or not (params is None or isinstance(params, list)):
        raise ActionsInvalid
    return name, cast(list[Any], params or [])


def _read(name: str, params: Sequence[Any], kind: Kind, files: Reader) -> list[Any]:
    try:
        if name == "assign_agent":
            return _agent(params, kind.agent_words)
        return files(params) if name == "send_attachment" else READERS[name](params)
    except Wrong as wrong:
        raise ActionsInvalid(f"Automation action {name} needs {wrong}") from wrong


def _agent(params: Sequence[Any], words: frozenset[str]) -> list[Any]:
    only = _only(params)
    if only in NOTHING:
        return [NOBODY]
    if isinstance(only, str) and only in words:
        return [only]
    return [_id(only, "the id of an agent, or nil")]


def _team(params: Sequence[Any]) -> list[Any]:
    only = _only(params)
    return [NOBODY] if only in NOTHING else [_id(only, "the id of a team, or nil")]


def _labels(params: Sequence[Any]) -> list[Any]:
    titles = label_titles(params)
    if not titles or len(titles) > MOST_LABELS or any(len(title) > LONGEST_LABEL for title in titles):
        raise Wrong(f"titles of labels, at most {MOST_LABELS} of {LONGEST_LABEL} characters")
    return cast(list[Any], titles)


def _text(params: Sequence[Any], *, longest: int = LONGEST_CONTENT) -> list[Any]:
    only = _only(params)
    if not isinstance(only, str) or not only.strip() or len(only) > longest:
        raise Wrong(f"a text of {longest} characters at most")
    return [only]


def _address(params: Sequence[Any]) -> list[Any]:
    only = _only(params)
    try:
        check_url(only.strip() if isinstance(only, str) else "")
    except Invalid as refusal:
        raise Wrong("an address that begins with http:// or https://") from refusal
    return [only.strip()]


def _mail_to_teams(params: Sequence[Any]) -> list[Any]:
    only = _only(params)
    mail = cast(dict[str, Any], only) if isinstance(only, dict) else {}
    team_ids, message = mail.get("team_ids"), mail.get("message")
    if not isinstance(team_ids, list) or not 0 < len(cast(list[Any], team_ids)) <= MOST_TEAMS:
        raise Wrong("team_ids and a message")
    numbers = [_id(each, "the ids of teams") for each in cast(list[Any], team_ids)]
    return [{"team_ids": list(dict.fromkeys(numbers)), "message": _text([message])[0]}]


def _one_of(params: Sequence[Any], *, words: Sequence[str]) -> list[Any]:
    only = _only(params)
    chosen = NOBODY if NOBODY in words and only in NOTHING else only
    if chosen not in words:
        raise Wrong(f"one of {', '.join(words)}")
    return [chosen]


def _nothing(_: Sequence[Any]) -> list[Any]:
    return []


def _file(params: Sequence[Any], *, files: Files, account_id: int, attached: Collection[int]) -> list[Any]:
    only = _only(params)
    if isinstance(only, str) and not only.isdigit():
        blob = files.verify(only, purpose="upload")
        if blob is None or blob.account_id != account_id:
            raise AttachmentInvalid
        return [blob.id]
    number = _number(only)
    if number not in attached:
        raise AttachmentInvalid
    return [number]


def _only(params: Sequence[Any]) -> Any:
    """The first parameter; what stands behind it says nothing."""
    return params[0] if params else None


def _id(value: object, wanted: str) -> int:
    number = _number(value)
    if not number:
        raise Wrong(wanted)
    return number


def _number(value: object) -> int | None:
    return id_of(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None


def _numbers(action: Action) -> list[int]:
    return [each for each in action.action_params if isinstance(each, int)]


def _team_ids(action: Action) -> list[int]:
    match action:
        case Action("assign_team"):
            return _numbers(action)
        case Action("send_email_to_team", [{"team_ids": team_ids}]):
            return team_ids
        case _:
            return []


def _refuse_unknown(what: str, ids: Collection[int]) -> None:
    if ids:
        raise ActionsInvalid(f"Automation {what} {', '.join(map(str, sorted(ids)))} do not belong to the account")


READERS: Final[Mapping[str, Reader]] = {
    "assign_team": _team,
    "remove_assigned_team": _nothing,
    "remove_assigned_agent": _nothing,
    "add_label": _labels,
    "remove_label": _labels,
    "send_message": _text,
    "add_private_note": _text,
    "send_email_to_team": _mail_to_teams,
    MAIL_TRANSCRIPT: partial(_text, longest=LONGEST_ADDRESSES),
    TELL: _address,
    "change_status": partial(_one_of, words=STATUSES),
    "change_priority": partial(_one_of, words=(*PRIORITIES, NOBODY)),
    "mute_conversation": _nothing,
    "snooze_conversation": _nothing,
    "resolve_conversation": _nothing,
    "open_conversation": _nothing,
    "pending_conversation": _nothing,
}
CHANGES: Final = "conversations:write"
# What is more than a change of the conversation. An address of the macro's choice is sent all of it.
SCOPES: Final[Mapping[str, Sequence[str]]] = {
    "send_message": ("messages:write",),
    "add_private_note": ("messages:write",),
    "send_attachment": ("messages:write",),
    TELL: ("conversations:read", "webhooks:write"),
}
ALL_NAMES: Final = frozenset((*READERS, "assign_agent", "send_attachment"))
OF_RULES: Final = Kind(names=ALL_NAMES, agent_words=frozenset(("last_responding_agent",)))
OF_MACROS: Final = Kind(
    names=ALL_NAMES - {"open_conversation", "pending_conversation", "send_email_to_team"},
    agent_words=frozenset(("self",)),
)
