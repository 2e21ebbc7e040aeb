"""What a message of an e-mail inbox says, as text and as HTML."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any, Final

from markdown_it import MarkdownIt

# Brackets may be nested, and each is looked through for the end of a link: what is more is no mail that somebody wrote.
LONGEST_MARKDOWN: Final = 20_000
MOST_BRACKETS: Final = 500
MARKDOWN: Final = MarkdownIt("commonmark", {"html": False, "breaks": True})


async def mail_content(content: str, html: str | None) -> dict[str, Any]:
    """The attribute `email` of what is said; `html` stands in place of the Markdown where its sender has made some."""
    text = content.replace("\r\n", "\n")
    shown = html or await asyncio.to_thread(html_of, text)
    return {"html_content": {"full": shown, "reply": shown}, "text_content": {"full": text, "reply": text}}


def html_of(text: str) -> str:
    """The Markdown as HTML; tags in it stand as they are written. What is too long is not looked through for any."""
    if len(text) > LONGEST_MARKDOWN or text.count("[") > MOST_BRACKETS:
        paragraphs = [escape(each).replace("\n", "<br />\n") for each in text.split("\n\n")]
        return "".join(f"<p>{each}</p>\n" for each in paragraphs)
    return str(MARKDOWN.render(text))
