"""Rules and macros on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.automation.models import Macro, Rule, files_of
from criachat.kit.files import Blob, Files
from criachat.kit.texts import Long, Short
from criachat.kit.times import unix
from criachat.messages.models import Upload
from criachat.users.schemas import AgentOut


class RuleParams(msgspec.Struct, kw_only=True):
    """What a rule is; what is not sent stays as it is, and lists are replaced."""

    name: Short | UnsetType | None = UNSET
    description: Long | UnsetType | None = UNSET
    event_name: Any = UNSET
    active: bool | UnsetType | None = UNSET
    conditions: Any = UNSET
    actions: Any = UNSET


class SentFileOut(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a rule or a macro sends; `file_type` is its MIME type."""

    id: int
    file_type: str
    account_id: int
    file_url: str
    blob_id: int
    filename: str


class RuleFileOut(SentFileOut, frozen=True, kw_only=True):
    """A file that a rule sends; `file_type` is its MIME type."""

    automation_rule_id: int


class MacroFileOut(SentFileOut, frozen=True, kw_only=True):
    """A file that a macro sends; `file_type` is its MIME type."""

    macro_id: int


class RuleOut(msgspec.Struct, frozen=True, kw_only=True):
    """One rule; without files it has no `files`."""

    id: int
    account_id: int
    name: str
    description: str | None
    event_name: str
    conditions: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    created_on: int
    active: bool
    files: list[RuleFileOut] | UnsetType = UNSET


class RuleReply(msgspec.Struct, frozen=True):
    """One rule, as it is wrapped everywhere but where it is created."""

    payload: RuleOut


class RulesReply(msgspec.Struct, frozen=True):
    """All rules of the account, oldest first."""

    payload: list[RuleOut]


def rule_out(rule: Rule, uploads: Mapping[int, Upload], files: Files) -> RuleOut:
    """The rule as administrators see it, with those of the uploads that it sends."""
    sent = _files(rule.actions, uploads, files)
    return RuleOut(
        id=rule.id,
        account_id=rule.account_id,
        name=rule.name,
        description=rule.description,
        event_name=rule.event_name,
        conditions=rule.conditions,
        actions=rule.actions,
        created_on=unix(rule.created_at),
        active=rule.active,
        files=[RuleFileOut(automation_rule_id=rule.id, **file) for file in sent] or UNSET,
    )


class MacroParams(msgspec.Struct, kw_only=True):
    """What a macro is; what is not sent stays as it is, and actions are replaced. `visibility` is `personal`, or for
    administrators also `global`."""

    name: Short | UnsetType | None = UNSET
    visibility: Any = UNSET
    actions: Any = UNSET


class ExecutionParams(msgspec.Struct, kw_only=True):
    """In which conversations, by the numbers people see."""

    conversation_ids: list[int]


class MacroOut(msgspec.Struct, frozen=True, kw_only=True):
    """One macro; whoever is gone has no key, and without files there are no `files`."""

    id: int
    name: str
    visibility: str
    created_by: AgentOut | UnsetType = UNSET
    updated_by: AgentOut | UnsetType = UNSET
    account_id: int
    actions: list[dict[str, Any]]
    files: list[MacroFileOut] | UnsetType = UNSET


class MacroReply(msgspec.Struct, frozen=True):
    """One macro."""

    payload: MacroOut


class MacrosReply(msgspec.Struct, frozen=True):
    """The macros that the caller may use, oldest first."""

    payload: list[MacroOut]


def macro_out(macro: Macro, people: Mapping[int, AgentOut], uploads: Mapping[int, Upload], files: Files) -> MacroOut:
    """The macro, with those of these people and uploads that are in it."""
    sent = _files(macro.actions, uploads, files)
    return MacroOut(
        id=macro.id,
        name=macro.name,
        visibility=macro.visibility,
        created_by=people.get(macro.created_by_id or 0, UNSET),
        updated_by=people.get(macro.updated_by_id or 0, UNSET),
        account_id=macro.account_id,
        actions=macro.actions,
        files=[MacroFileOut(macro_id=macro.id, **file) for file in sent] or UNSET,
    )


def _files(actions: Sequence[dict[str, Any]], uploads: Mapping[int, Upload], files: Files) -> list[dict[str, Any]]:
    """What is shown of the files that these actions send, whoever they belong to."""
    sent = [uploads[number] for number in files_of(actions) if number in uploads]
    return [_file(upload, files) for upload in sent]


def _file(upload: Upload, files: Files) -> dict[str, Any]:
    signed_id = files.signed_id(Blob(upload.account_id, upload.id), purpose="upload")
    return {
        "id": upload.id,
        "file_type": upload.content_type,
        "account_id": upload.account_id,
        "file_url": files.upload_url(signed_id, upload.filename),
        "blob_id": upload.id,
        "filename": upload.filename,
    }
