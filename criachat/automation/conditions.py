"""The conditions of rules: what can be asked of a conversation, its contact and a message.

Conditions are joined from left to right, each by its `query_operator` to the next one; AND binds tighter than OR.
They are checked when they are saved, so that a rule never fails for what it asks when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

from criachat.automation.errors import ConditionsInvalid
from criachat.conversations.snapshots import PRIORITIES, STATUSES
from criachat.inboxes import access as inboxes
from criachat.kit.actors import Actor
from criachat.kit.db import Db
from criachat.kit.http.binding import id_of
from criachat.messages.models import MESSAGE_TYPES
from criachat.teams import access as teams
from criachat.users import access as people

MOST_CONDITIONS: Final = 50
MOST_VALUES: Final = 200
LONGEST_VALUE: Final = 5_000
CUSTOM_KINDS: Final = ("conversation_attribute", "contact_attribute")

EQUAL: Final = ("equal_to", "not_equal_to")
PRESENT: Final = ("is_present", "is_not_present")
TEXT: Final = (*EQUAL, "contains", "does_not_contain")
CUSTOM: Final = (*TEXT, *PRESENT, "is_greater_than", "is_less_than", "days_before")
CHANGED: Final = "attribute_changed"
CHANGED_ON: Final = "conversation_updated"

Condition = dict[str, Any]
IsValue = Callable[[object], bool]


def read_conditions(sent: object, *, event_name: str, custom_keys: Collection[str]) -> list[Condition]:
    """The conditions that were sent, as they are kept, or a refusal that names what is wrong.

    None at all hold always. Whether agents, teams and inboxes exist is for `check_references` to say.
    """
    if not isinstance(sent, list):
        raise ConditionsInvalid
    parts = cast(list[Any], sent)
    if len(parts) > MOST_CONDITIONS:
        raise ConditionsInvalid(f"Conditions can be {MOST_CONDITIONS} at most")
    if not all(isinstance(part, dict) for part in parts):
        raise ConditionsInvalid
    found = cast(list[Condition], parts)
    _check_keys(found, custom_keys)
    _check_joints(found)
    return [_kept(condition, event_name) for condition in found]


async def check_references(db: Db, actor: Actor, conditions: Sequence[Condition]) -> None:
    """Refuse conditions on agents, teams or inboxes that do not belong to the account."""
    agent_ids, team_ids, inbox_ids = (_ids(conditions, key) for key in ("assignee_id", "team_id", "inbox_id"))
    if agent_ids:
        known = {each.id for each in await people.list_colleagues(db, actor, sorted(agent_ids))}
        _refuse_unknown("agents", agent_ids - known)
    if team_ids:
        known = {each.id for each in await teams.list_teams(db, actor)}
        _refuse_unknown("teams", team_ids - known)
    if inbox_ids:
        known = {each.id for each in await inboxes.list_inboxes(db, actor)}
        _refuse_unknown("inboxes", inbox_ids - known)


def _check_keys(conditions: Sequence[Condition], custom_keys: Collection[str]) -> None:
    keys = [condition.get("attribute_key") for condition in conditions]
    if not all(isinstance(key, str) for key in keys):
        raise ConditionsInvalid
    unknown = [str(key)[:100] for key in keys if key not in STANDARD and key not in custom_keys]
    if unknown:
        raise ConditionsInvalid(f"Automation conditions {', '.join(sorted(set(unknown)))} not supported.")


def _check_joints(conditions: Sequence[Condition]) -> None:
    joints = [condition.get("query_operator") or None for condition in conditions]
    if any(joint is not None and str(joint).upper() not in ("AND", "OR") for joint in joints):
        raise ConditionsInvalid('Query operator must be either "AND" or "OR"')
    if None in joints[:-1]:
        raise ConditionsInvalid("Automation conditions should have query operator.")


def _kept(condition: Condition, event_name: str) -> Condition:
    key, operator, custom_kind = (
        condition.get(name) for name in ("attribute_key", "filter_operator", "custom_attribute_type")
    )
    allowed, is_value = STANDARD.get(str(key), (CUSTOM, _is_scalar))
    allowed = (*allowed, CHANGED) if event_name == CHANGED_ON else allowed
    if operator not in allowed:
        raise ConditionsInvalid(f"Invalid operator. The allowed operators for {key} are [{','.join(allowed)}].")
    if custom_kind not in (None, "", *CUSTOM_KINDS):
        raise ConditionsInvalid(f"Custom attribute type must be one of {', '.join(CUSTOM_KINDS)}")
    values = condition.get("values")
    if operator == CHANGED:
        _check_change(str(key), values, is_value)
    elif operator not in PRESENT:
        _check_values(str(key), values, is_value)
    kept: Condition = {
        "attribute_key": key,
        "filter_operator": operator,
        "values": [] if operator in PRESENT else values,
        "query_operator": condition.get("query_operator") or None,
    }
    return kept if custom_kind is None else {**kept, "custom_attribute_type": custom_kind}


def _check_values(key: str, values: object, is_value: IsValue) -> None:
    if not isinstance(values, list) or not 0 < len(cast(list[Any], values)) <= MOST_VALUES:
        raise ConditionsInvalid(f"The values of {key} must be a list of 1 to {MOST_VALUES}")
    if not all(is_value(value) for value in cast(list[Any], values)):
        raise ConditionsInvalid(f"The values of {key} hold one that it cannot have")


def _check_change(key: str, values: object, is_value: IsValue) -> None:
    change = cast(Condition, values) if isinstance(values, dict) else {}
    if change.keys() != {"from", "to"}:
        raise ConditionsInvalid(f"The values of {key} must be an object with from and to")
    for side in change.values():
        _check_values(key, side, lambda value: value is None or is_value(value))


def _ids(conditions: Sequence[Condition], key: str) -> set[int]:
    """The ids that conditions on this attribute compare with."""
    ids: set[int] = set()
    for condition in conditions:
        if condition["attribute_key"] != key:
            continue
        values: Any = condition["values"]
        sides: list[Any] = list(cast(Condition, values).values()) if isinstance(values, dict) else [values]
        ids |= {number for side in sides for value in side if (number := id_of(str(value))) is not None}
    return ids


def _refuse_unknown(what: str, ids: Collection[int]) -> None:
    if ids:
        raise ConditionsInvalid(f"Automation {what} {', '.join(map(str, sorted(ids)))} do not belong to the account")


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool | int | float) or _is_text(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_VALUE


def _is_word(value: object, *, words: Collection[str]) -> bool:
    return value in words


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and bool(id_of(str(value)))


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool) or value in ("true", "false")


# What can be asked, how it is compared, and what it can be compared with.
STANDARD: Final[Mapping[str, tuple[tuple[str, ...], IsValue]]] = {
    "status": (EQUAL, partial(_is_word, words=(*STATUSES, "all"))),
    "priority": (EQUAL, partial(_is_word, words=PRIORITIES)),
    "message_type": (EQUAL, partial(_is_word, words=MESSAGE_TYPES)),
    "private_note": (EQUAL, _is_boolean),
    "browser_language": (EQUAL, _is_text),
    "conversation_language": (EQUAL, _is_text),
    "country_code": (EQUAL, _is_text),
    "assignee_id": ((*EQUAL, *PRESENT), _is_id),
    "team_id": ((*EQUAL, *PRESENT), _is_id),
    "inbox_id": ((*EQUAL, *PRESENT), _is_id),
    "labels": ((*EQUAL, *PRESENT), _is_text),
    "referer": (TEXT, _is_text),
    "mail_subject": (TEXT, _is_text),
    "content": (TEXT, _is_text),
    "email": (TEXT, _is_text),
    "city": (TEXT, _is_text),
    "company": (TEXT, _is_text),
    "company_name": (TEXT, _is_text),
    "phone_number": ((*TEXT, "starts_with"), _is_text),
}
