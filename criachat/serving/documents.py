"""The parts of docs/ that are made from the code: `make docs` writes them, and a test compares them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from criachat.kit import limits
from criachat.kit.events import HEADER, Event, catalogue
from criachat.kit.http.routes import Endpoint
from criachat.kit.settings import PREFIX, Settings
from criachat.serving.compatibility import FAMILY, family, page
from criachat.slices import ROUTES

BEGIN: Final = "<!-- made by `make docs`: edit the code instead -->"
END: Final = "<!-- end of what `make docs` made -->"


class NoPlace(Exception):
    """A page has no place for what is made; the text says which."""


def events() -> str:
    """Every kind of event, slice by slice."""
    lines: list[str] = []
    by_slice: dict[str, list[type[Event]]] = {}
    for kind in catalogue.kinds.values():
        package, _, rest = kind.__module__.partition(".")
        # Tests declare some of their own.
        if package == "criachat":
            by_slice.setdefault(rest.partition(".")[0], []).append(kind)
    for name, kinds in sorted(by_slice.items()):
        lines += [f"### {name}", "", "| Event | On sockets | What happened | Carries |", "|---|---|---|---|"]
        lines += [
            f"| `{kind.name}` | `{kind.realtime_name}` | {_sentence(kind)} | {_carried(kind)} |"
            for kind in sorted(kinds, key=lambda each: each.name)
        ]
        lines.append("")
    return "\n".join(lines)


def settings() -> str:
    """Every setting, and the rate limits that one of them changes by name."""
    hints = get_type_hints(Settings, include_extras=True)
    lines = ["| Variable | Default | Takes | What it does |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(Settings):
        meta = _meta(hints[field.name])
        lines.append(
            f"| `{PREFIX}{field.name.upper()}` | {_default(field.default)} | {_takes(hints[field.name], meta)} "
            f"| {(meta.description if meta else None) or ''} |"
        )
    lines += ["", "### Rate limits", "", limits.markdown()]
    return "\n".join(lines)


def endpoints() -> str:
    """Every endpoint, by what it is about."""
    by_tag: dict[str, list[Endpoint]] = {}
    for routes in ROUTES:
        for endpoint in routes.endpoints:
            by_tag.setdefault(endpoint.tag, []).append(endpoint)
    lines: list[str] = []
    for tag, found in sorted(by_tag.items()):
        lines += [f"### {tag}", "", "| | Path | Scope | |", "|---|---|---|---|"]
        for endpoint in found:
            scope = f"`{endpoint.scope}`" if endpoint.scope else ""
            methods = " ".join(endpoint.methods)
            lines.append(f"| {methods} | `{endpoint.path}` | {scope} | {_sentence(endpoint.handler)} |")
        lines.append("")
    return "\n".join(lines)


def compatibility() -> str:
    """Every endpoint of the API family, and whether it is served."""
    served = [endpoint for routes in ROUTES for endpoint in routes.endpoints]
    return page(family(FAMILY.read_text("utf-8")), served)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "events.md": events,
    "settings.md": settings,
    "api.md": endpoints,
    "compatibility.md": compatibility,
}


def written(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each page that has a made part, with what it should say."""
    for name, make in PAGES.items():
        path = folder / name
        if not path.is_file():
            raise NoPlace(
                f"There is no {path}. These pages are in a checkout of CriaChat: run it there, or name its docs."
            )
        before, begin, rest = path.read_text("utf-8").partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            raise NoPlace(f"{path} has no lines {BEGIN!r} and {END!r} between which to write.")
        yield path, f"{before}{BEGIN}\n\n{make()}\n{END}{after}"


def write(folder: Path) -> list[Path]:
    """Write the made parts; the pages that changed."""
    changed: list[Path] = []
    for path, text in written(folder):
        if path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            changed.append(path)
    return changed


def _sentence(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def _carried(kind: type[Event]) -> str:
    own = [field for field in kind.__struct_fields__ if field not in HEADER]
    return ", ".join(f"`{field}`" for field in own)


def _meta(hint: Any) -> Meta | None:
    return next((each for each in get_args(hint)[1:] if isinstance(each, Meta)), None)


def _default(value: object) -> str:
    if value is None or value == ():
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _takes(hint: Any, meta: Meta | None) -> str:
    kind = get_args(hint)[0]
    if get_origin(kind) is tuple:
        return "a list, with commas"
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    if kind is int and meta is not None and meta.ge is not None:
        return f"{meta.ge} to {meta.le}" if meta.le is not None else f"{meta.ge} or more"
    return {bool: "true or false", int: "a number", Path: "a folder"}.get(kind, "text")
