"""Variables in texts, such as `{{contact.name}}`: Liquid, without what could run for long or fill the memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Final, cast

from liquid import Environment
from liquid.exceptions import LiquidError, LiquidSyntaxError, ResourceLimitError
from liquid.token import TOKEN_CONTENT, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG, Token

from criachat.conversations.models import Conversation
from criachat.users.snapshots import BotSnapshot, UserSnapshot

LONGEST_TEXT: Final = 150_000
MOST_TAGS: Final = 200
LONGEST_EXPRESSIONS: Final = 4000
OPENING: Final = re.compile(r"{[{%]")
QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
# What stands between backticks; a variable; a tag such as `{% if … %}`. Each in one pass, however it is nested.
PIECE: Final = re.compile(
    r"(?P<literal>```.*?```|`[^`]*`)"
    r"|{{(?P<before>-?)(?P<variable>(?:(?!{{|}}).){0,4000})}}"
    r"|{%(?P<before_tag>-?)\s{0,20}(?P<tag>#|\w{1,20})(?P<expression>(?:(?!{%|%}).){0,4000})%}",
    re.DOTALL,
)

# There is nothing to loop over, and no file to include. Filters that decode can make what cannot be stored.
TAGS: Final = frozenset(("content", "output", "illegal", "if", "unless", "case", "assign", "echo", "#"))
FILTERS: Final = (
    "abs append at_least at_most capitalize ceil date default divided_by downcase escape first floor last lstrip minus "
    "modulo plus prepend remove remove_first replace_first round rstrip size slice split strip strip_html times "
    "truncate upcase url_encode"
)

Sender = UserSnapshot | BotSnapshot | None
Filter = Callable[..., Any]


class Texts(Environment):
    """Liquid for texts that a stranger may write: it takes milliseconds, whatever stands in them.

    The library's own tokenizer takes seconds for a text with many spaces or open brackets.
    """

    output_stream_limit = 4 * LONGEST_TEXT
    local_namespace_limit = 4 * LONGEST_TEXT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        self.tags = {name: tag for name, tag in self.tags.items() if name in TAGS}
        self.filters = {name: _bounded(each) for name, each in self.filters.items() if name in FILTERS.split()}
        self.filters["replace"] = _replace

    def tokenizer(self) -> Callable[[str], Iterator[Token]]:
        return _tokens_of


def _bounded(each: Filter) -> Filter:
    """The filter, refusing to make more of a text than a message can hold."""

    @wraps(each)
    def bounded(*values: Any, **options: Any) -> Any:
        result = each(*values, **options)
        if isinstance(result, str) and len(result) > LONGEST_TEXT:
            raise ResourceLimitError("the text grew too long", token=None)
        return result

    return bounded


def _replace(value: object, old: object, new: object = "") -> str:
    text, sought, given = (str(each) for each in (value, old, new))
    if text.count(sought) * len(given) > LONGEST_TEXT:
        raise ResourceLimitError("the text grew too long", token=None)
    return text.replace(sought, given)


def _tokens_of(text: str) -> Iterator[Token]:
    at, trims = 0, False
    for piece in PIECE.finditer(text):
        trims_before = bool(piece["before"] or piece["before_tag"])
        yield from _content(text, at, piece.start(), strips=(trims, trims_before))
        at, trims = piece.end(), False
        if piece["literal"] is not None:
            yield Token(TOKEN_CONTENT, piece["literal"], piece.start(), text)
            continue
        tag, expression = piece["tag"], piece["variable"] or piece["expression"] or ""
        trims = expression.endswith("-")
        expression = expression.removesuffix("-").strip()
        yield Token(TOKEN_OUTPUT if tag is None else TOKEN_TAG, tag or piece[0], piece.start(), text)
        if expression or tag is None:
            yield Token(TOKEN_EXPRESSION, expression, piece.start(), text)
    yield from _content(text, at, len(text), strips=(trims, False))


def _content(text: str, start: int, end: int, *, strips: tuple[bool, bool]) -> Iterator[Token]:
    content = text[start:end]
    if OPENING.search(content):
        raise LiquidSyntaxError("a bracket is not closed", token=None)
    content = content.lstrip() if strips[0] else content
    content = content.rstrip() if strips[1] else content
    if content:
        yield Token(TOKEN_CONTENT, content, start, text)


_texts = Texts(autoescape=False)


def with_variables(text: str, conversation: Conversation, sender: Sender) -> str:
    """The text with its Liquid variables filled in; what stands between backticks, or is no Liquid, stays as it is."""
    if not 0 < len(OPENING.findall(text)) <= MOST_TAGS:
        return text
    try:
        _check(text)
        return _texts.from_string(text).render(**_variables(conversation, sender))[:LONGEST_TEXT]
    except (LiquidError, ArithmeticError, RecursionError, ValueError):
        return text


def _check(text: str) -> None:
    """Refuse what takes long: a great many filters, and ranges, which are counted out when they are compared."""
    expressions = [token.value for token in _tokens_of(text) if token.kind == TOKEN_EXPRESSION]
    if sum(map(len, expressions)) > LONGEST_EXPRESSIONS:
        raise ResourceLimitError("there are too many variables", token=None)
    if any(".." in QUOTED.sub("", expression) for expression in expressions):
        raise ResourceLimitError("ranges are not known here", token=None)


def with_variables_inside(value: object, conversation: Conversation, sender: Sender) -> Any:
    """A JSON value with the variables of every text in it filled in."""
    if isinstance(value, str):
        return with_variables(value, conversation, sender)
    if isinstance(value, list):
        return [with_variables_inside(each, conversation, sender) for each in cast(list[Any], value)]
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value)
        return {key: with_variables_inside(each, conversation, sender) for key, each in fields.items()}
    return value


def _variables(conversation: Conversation, sender: Sender) -> dict[str, Any]:
    first, last = _names(conversation.contact_name)
    agent_first, agent_last = _names(sender.name if sender else None)
    return {
        "contact": {
            "id": conversation.contact_id,
            "name": _capitalised(conversation.contact_name),
            "email": conversation.contact_email,
            "phone_number": conversation.contact_phone_number,
            "first_name": first,
            "last_name": last,
            "custom_attribute": conversation.contact_custom_attributes,
        },
        "agent": {
            "id": sender.id if sender else None,
            "name": _capitalised(sender.name if sender else None),
            "available_name": _capitalised(sender.available_name if isinstance(sender, UserSnapshot) else None),
            "first_name": agent_first,
            "last_name": agent_last,
        },
        "conversation": {
            "id": conversation.id,
            "display_id": conversation.display_id,
            "contact_name": _capitalised(conversation.contact_name),
            "custom_attribute": conversation.custom_attributes,
        },
        "inbox": {"id": conversation.inbox_id, "name": conversation.inbox_name},
        "account": {"id": conversation.account_id, "name": conversation.account_name},
    }


def _capitalised(name: str | None) -> str:
    return " ".join(part.capitalize() for part in (name or "").split())


def _names(name: str | None) -> tuple[str, str]:
    """First and last name; both empty for one word."""
    parts = _capitalised(name).split()
    return (parts[0], parts[-1]) if len(parts) > 1 else ("", "")
