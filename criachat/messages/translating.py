"""Translations by a service that speaks the protocol of LibreTranslate: the operator's own, or one somewhere else."""

from __future__ import annotations

import re

import msgspec

from criachat.kit.outside import Outside, OutsideFailed
from criachat.kit.settings import Settings
from criachat.messages.content import LONGEST_CONTENT
from criachat.messages.errors import TargetLanguageInvalid, TranslationFailed

LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8}){0,2}")
TIMEOUT_SECONDS = 20
MOST_ANSWER_BYTES = 1024 * 1024


class Answered(msgspec.Struct, frozen=True):
    """What it answers."""

    text: str = msgspec.field(name="translatedText")


class Translator:
    """The way to the service; there is none until an operator names it."""

    def __init__(self, outside: Outside, settings: Settings) -> None:
        self._outside = outside
        self._url = settings.translation_url
        self._key = settings.translation_key or ""

    @property
    def is_there(self) -> bool:
        """Whether there is a service to ask."""
        return self._url is not None

    async def translate(self, text: str, language: str, *, is_html: bool) -> str:
        """The text in this language, or a refusal when the service has none to give."""
        target = language.replace("_", "-")
        wanted = {"q": text, "source": "auto", "target": target, "format": "html" if is_html else "text"}
        body = msgspec.json.encode({**wanted, "api_key": self._key} if self._key else wanted)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        try:
            answer = await self._outside.post(
                self._url or "",
                body=body,
                headers=headers,
                timeout_seconds=TIMEOUT_SECONDS,
                keep_bytes=MOST_ANSWER_BYTES,
            )
            if answer.status != 200 or answer.truncated:
                raise TranslationFailed
            translated = msgspec.json.decode(answer.body, type=Answered).text
        except (OutsideFailed, msgspec.DecodeError, UnicodeDecodeError) as failure:
            raise TranslationFailed from failure
        if len(translated) > LONGEST_CONTENT or "\x00" in translated:
            raise TranslationFailed
        return translated


def check_language(language: str | None) -> str:
    """A language as it may be named, such as `pt_BR`."""
    if language is None or not LANGUAGE.fullmatch(language):
        raise TargetLanguageInvalid
    return language
