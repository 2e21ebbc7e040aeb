"""What can be done with canned responses."""

from __future__ import annotations

from msgspec import UNSET

from criachat.accounts.operations import take_turn
from criachat.canned_responses import queries
from criachat.canned_responses.errors import ContentBlank, ShortCodeBlank, ShortCodeTaken, TooManyCannedResponses
from criachat.canned_responses.models import CannedResponse
from criachat.canned_responses.schemas import CannedResponseParams
from criachat.kit.db import Tx
from criachat.kit.errors import together


async def create_canned_response(tx: Tx, account_id: int, params: CannedResponseParams) -> CannedResponse:
    """Keep an answer."""
    short_code, content = _checked(params.short_code or "", params.content or "")
    await take_turn(tx, account_id)
    created = await queries.insert_canned_response(tx, account_id, short_code=short_code, content=content)
    if created is None:
        is_full = await queries.count_canned_responses(tx, account_id) >= queries.MOST
        raise TooManyCannedResponses if is_full else ShortCodeTaken
    return created


async def change_canned_response(
    tx: Tx, canned_response: CannedResponse, params: CannedResponseParams
) -> CannedResponse:
    """Change what was sent."""
    short_code, content = _checked(
        canned_response.short_code if params.short_code is UNSET else params.short_code or "",
        canned_response.content if params.content is UNSET else params.content or "",
    )
    if (short_code, content) == (canned_response.short_code, canned_response.content):
        return canned_response
    saved = await queries.save_canned_response(tx, canned_response, short_code=short_code, content=content)
    if saved is None:
        raise ShortCodeTaken
    return saved


async def delete_canned_response(tx: Tx, canned_response: CannedResponse) -> None:
    """Keep it no longer. Messages that were made of it stay as they are."""
    await queries.delete_canned_response(tx, canned_response)


def _checked(short_code: str, content: str) -> tuple[str, str]:
    refusals = [blank() for blank, text in ((ShortCodeBlank, short_code), (ContentBlank, content)) if not text.strip()]
    if refusals:
        raise together(refusals)
    return short_code.strip(), content
