"""The API's description as a page that people read."""

from __future__ import annotations

import html
from typing import Any

import msgspec
from msgspec import UNSET

from criachat.kit.http.examples import JSON, Example, Examples
from criachat.kit.http.openapi import TOKEN

# Examples with more lines are folded.
LINES_AT_ONCE = 40
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
    by_tag: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if not operation["operationId"].endswith("_put"):
                by_tag.setdefault(operation["tags"][0], []).append(
                    _entry(path, method.upper(), operation, examples.get(f"{method.upper()} {path}"))
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


def _entry(path: str, method: str, operation: dict[str, Any], example: Example | None) -> str:
    facts = [f"Scope <code>{operation['x-scope']}</code>"] if "x-scope" in operation else []
    facts += [f"Callers: {', '.join(operation['x-callers']).lower()}"] if "x-callers" in operation else []
    parameters = "".join(
        f"<li><code>{html.escape(each['name'])}</code> <span class=s>{each['in']}</span></li>"
        for each in operation.get("parameters", [])
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    schema = f"<pre><code>{_formatted(body)}</code></pre>" if body else ""
    return (
        f"<details><summary><span class='m {method}'>{method}</span><code>{html.escape(path)}</code> "
        f"<span class=s>{html.escape(operation.get('summary', ''))}</span></summary><div>"
        f"<p>{html.escape(operation.get('description', ''))}</p><p class=s>{' · '.join(facts)}</p>"
        f"<ul>{parameters}</ul>{schema}{_shown(path, method, example) if example else ''}</div></details>"
    )


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


def _formatted(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return html.escape(text)
