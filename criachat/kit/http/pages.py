"""The API's description as a page that people read."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.kit.http.examples import JSON, Example, Examples
from criachat.kit.http.openapi import TOKEN
from criachat.kit.http.schema import Schema

# Examples with more lines are folded.
LINES_AT_ONCE = 40
CODE = re.compile(r"`([^`]+)`")
CALLERS = {
    "ADMINISTRATOR": "administrators",
    "AGENT_ONLY": "agents",
    "BOT": "bots",
    "PERSON": "people, whatever their account",
    "PLATFORM_APP": "platform apps",
}
# What is in what is in what is sent is listed, and no more.
DEEPEST = 2
STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
body { margin: 0 auto; max-width: 60rem; padding: 1rem 1.5rem 6rem }
h2 { border-bottom: 1px solid #8884; margin-top: 3rem } summary { cursor: pointer; padding: .3rem 0 }
code { font-family: ui-monospace, monospace; font-size: .92em; overflow-wrap: anywhere } pre { overflow-x: auto }
.m { display: inline-block; width: 4.5rem; font-weight: 600 } .s { color: #888 } nav a { margin-right: 1rem }
.GET { color: #1a7f37 } .POST { color: #0969da } .PATCH, .PUT { color: #9a6700 } .DELETE { color: #cf222e }
details > div { border-left: 3px solid #8884; padding-left: 1rem; margin: .2rem 0 1rem }
details details pre { background: #8881; padding: .6rem }
"""


def page(described: dict[str, Any], examples: Examples) -> str:
    """The document, with its examples, as a page that needs no script."""
    components = described["components"]["schemas"]
    by_tag: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if not operation["operationId"].endswith("_put"):
                by_tag.setdefault(operation["tags"][0], []).append(
                    _entry(path, method.upper(), operation, components, examples.get(f"{method.upper()} {path}"))
                )
    links = " ".join(f'<a href="#{html.escape(tag)}">{html.escape(tag)}</a>' for tag in sorted(by_tag))
    sections = "".join(
        f'<h2 id="{html.escape(tag)}">{html.escape(tag)}</h2>{"".join(entries)}'
        for tag, entries in sorted(by_tag.items())
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>CriaChat API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style><h1>CriaChat API</h1><p>Every endpoint of this server, made from its code. "
        'Programs read <a href="/openapi.json">openapi.json</a>. Send your access token in the header '
        f"<code>{TOKEN}</code>; send an <code>Idempotency-Key</code> with writes to retry them safely.</p>"
        f"<nav>{links}</nav>{sections}</html>"
    )


def _entry(
    path: str, method: str, operation: dict[str, Any], components: Mapping[str, Schema], example: Example | None
) -> str:
    facts = [f"Scope <code>{operation['x-scope']}</code>"] if "x-scope" in operation else []
    if "x-callers" in operation:
        facts.append("For " + ", ".join(CALLERS[caller] for caller in operation["x-callers"]))
    facts.append(f'<a href="#{operation["operationId"]}">Link</a>')
    parameters = "".join(
        _line(each["name"], f"{_kind(each['schema'])}, in the {each['in']}", each.get("description", ""))
        for each in operation.get("parameters", [])
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    fields = f"<p>JSON body:</p>{_fields(body, components)}" if body else ""
    return (
        f"<details><summary><span class='m {method}'>{method}</span><code>{html.escape(path)}</code> "
        f"<span class=s>{_prose(operation.get('summary', ''))}</span></summary><div id='{operation['operationId']}'>"
        f"<p>{_prose(operation.get('description', ''))}</p><p class=s>{' · '.join(facts)}</p>"
        f"<ul>{parameters}</ul>{fields}{_shown(path, method, example) if example else ''}</div></details>"
    )


def _fields(schema: Schema, components: Mapping[str, Schema], *, depth: int = 0) -> str:
    """What may be sent, as a list; what is in it, and in that, is listed below it."""
    found = _object(schema, components)
    lines = ""
    for name, field in (found or {}).get("properties", {}).items():
        kind = _kind(field) + (", required" if name in (found or {}).get("required", ()) else "")
        inner = _fields(field, components, depth=depth + 1) if depth < DEEPEST else ""
        lines += _line(name, kind, field.get("description", ""), inner=inner)
    return f"<ul>{lines}</ul>" if lines else ""


def _object(schema: Schema, components: Mapping[str, Schema]) -> Schema | None:
    """The object in a schema: itself, what it refers to, what a list of them holds, or one of several."""
    if "$ref" in schema:
        return components[schema["$ref"].rpartition("/")[2]]
    if "properties" in schema:
        return schema
    inner: list[Schema] = [*schema.get("anyOf", ()), *schema.get("allOf", ())]
    if isinstance(schema.get("items"), dict):
        inner.append(schema["items"])
    return next((found for each in inner if (found := _object(each, components))), None)


def _kind(schema: Schema) -> str:
    """What kind of value a field takes, in words."""
    if "anyOf" in schema:
        kinds = [_kind(each) for each in schema["anyOf"]]
        return " or ".join(dict.fromkeys(kind for kind in kinds if kind))
    if "enum" in schema:
        return "one of " + ", ".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return "object" if "$ref" in schema else str(schema.get("type", "anything"))


def _line(name: str, kind: str, text: str, *, inner: str = "") -> str:
    told = f": {_prose(text)}" if text else ""
    return f"<li><code>{html.escape(name)}</code> <span class=s>{html.escape(kind)}</span>{told}{inner}</li>"


def _shown(path: str, method: str, example: Example) -> str:
    asked = f"{method} {html.escape(example.address(path))}"
    if example.body is not UNSET:
        kind = f"\nContent-Type: {example.body_type}" if example.body_type != JSON else ""
        asked += f"{kind}\n\n{_formatted(example.body)}"
    answered = _formatted(example.answer) if example.answer is not UNSET else "The body is empty."
    is_long = asked.count("\n") + answered.count("\n") > LINES_AT_ONCE
    return (
        f"<details{'' if is_long else ' open'}><summary>Example</summary><pre><code>{asked}</code></pre>"
        f"<p>Answered with {example.status}:</p><pre><code>{answered}</code></pre></details>"
    )


def _prose(text: str) -> str:
    """A text of ours; what stands between backticks is code."""
    return CODE.sub(r"<code>\1</code>", html.escape(text))


def _formatted(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return html.escape(text)
