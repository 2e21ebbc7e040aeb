"""The compatibility table: every endpoint of the API family, and whether this server has it.

What the family has stands in `family.txt`; what we have is looked up among the endpoints that are served.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from criachat.kit.http.routes import Endpoint

FAMILY: Final = Path(__file__).with_name("family.txt")
PARAMETER: Final = re.compile(r"\{[^}]*\}")

State = Literal["works", "not yet", "left out"]


class Expected(msgspec.Struct, frozen=True, array_like=True):
    """An endpoint of the family: `tier` A is commonly used, B the dashboard's and the mobile app's, C rare."""

    surface: str
    tier: Literal["A", "B", "C"]
    methods: tuple[str, ...]
    path: str
    title: str


def family(text: str) -> list[Expected]:
    """The endpoints of the family, in the order of its documents."""
    found: list[Expected] = []
    surface, prefix = "", ""
    for line in text.splitlines():
        if line.startswith("== "):
            surface, prefix = line[3:], ""
        elif line.startswith(": "):
            prefix = line[2:]
        elif line and not line.startswith("# "):
            call, _, title = line.partition(" | ")
            tier, methods, path = call.split(" ")
            row = surface, tier, methods.split("|"), prefix + path, title
            found.append(msgspec.convert(row, Expected))
    return found


def doors(methods: Iterable[str], path: str) -> set[tuple[str, str]]:
    """What a client opens: method and path, whatever the parameters in it are called."""
    unnamed = PARAMETER.sub("{}", path)
    return {(method, unnamed) for method in methods}


def state(expected: Expected, served: set[tuple[str, str]]) -> State:
    """Whether we have it, will have it, or decided against it."""
    if doors(expected.methods, expected.path) <= served:
        return "works"
    return "left out" if expected.tier == "C" else "not yet"


def page(expected: Sequence[Expected], endpoints: Sequence[Endpoint]) -> str:
    """The table, with what is ours alone at its end."""
    served = {door for endpoint in endpoints for door in doors(endpoint.methods, endpoint.path)}
    return "\n".join([*_counts(expected, served), *_surfaces(expected, served), *_ours(expected, endpoints)])


def _counts(expected: Sequence[Expected], served: set[tuple[str, str]]) -> Iterator[str]:
    yield from ("| Tier | Endpoints | Work | Not yet | Left out |", "|---|---|---|---|---|")
    for tier in ("A", "B", "C"):
        states = [state(each, served) for each in expected if each.tier == tier]
        counts = [str(states.count(name)) for name in ("works", "not yet", "left out")]
        yield f"| {tier} | {len(states)} | {' | '.join(counts)} |"
    yield ""


def _surfaces(expected: Sequence[Expected], served: set[tuple[str, str]]) -> Iterator[str]:
    surface = ""
    for each in expected:
        if each.surface != surface:
            yield from (*([""] if surface else []), f"## {each.surface}", "")
            yield from ("| Tier | | Path | What for | State |", "|---|---|---|---|---|")
            surface = each.surface
        yield (
            f"| {each.tier} | {' '.join(each.methods)} | `{each.path}` | {each.title} | {_shown(state(each, served))} |"
        )
    yield ""


def _ours(expected: Sequence[Expected], endpoints: Sequence[Endpoint]) -> Iterator[str]:
    known = {door for each in expected for door in doors(each.methods, each.path)}
    yield from (
        "## Ours alone",
        "",
        "No client of the family calls these; none of them changes what its calls mean.",
        "",
    )
    yield from ("| | Path | About |", "|---|---|---|")
    for endpoint in endpoints:
        methods = [method for method in endpoint.methods if not doors([method], endpoint.path) <= known]
        if methods:
            yield f"| {' '.join(methods)} | `{endpoint.path}` | {endpoint.tag} |"
    yield ""


def _shown(which: State) -> str:
    return f"**{which}**" if which == "works" else which
