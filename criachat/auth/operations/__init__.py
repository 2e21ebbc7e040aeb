"""What can be done with access tokens and platform apps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from criachat.auth import access, queries
from criachat.auth.errors import ScopeNotYours, TooManyTokens
from criachat.auth.models import AccessToken, Grant, Made, Owner
from criachat.auth.rules import check_within
from criachat.kit import clock, tokens
from criachat.kit.actors import EVERYTHING, Actor
from criachat.kit.db import Tx
from criachat.kit.tokens import Keyring
from criachat.users.models import User

SHOWN_CHARACTERS = 4
MOST_TOKENS = 100
# So long it can still be seen in the database which token was used last.
KEPT_ENDED = timedelta(days=30)
MOST_PRUNED = 1000
# Whoever believes a token listens to this: the ids of those that are good no more.
ENDED_TOPIC = "tokens_ended"


async def create_user_token(
    tx: Tx,
    keyring: Keyring,
    user: User,
    *,
    name: str = "Access token",
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> str:
    """A token with which this person, or a service in their name, calls the Application API. Shown once: here."""
    return (await grant_token(tx, keyring, user.id, Grant(name=name, scopes=scopes, expires_at=expires_at))).text


async def grant_token(tx: Tx, keyring: Keyring, user_id: int, grant: Grant) -> Made:
    """A token of this person for what the grant says; one with scopes is a service's."""
    return await _create(tx, keyring, grant, owner=Owner("user", user_id))


async def create_own_token(tx: Tx, keyring: Keyring, owner: Owner, grant: Grant, *, actor: Actor) -> Made:
    """A token asked for by people, for themselves or for what belongs to their account: so many and no more.

    Whoever came with a token gets none that is good for longer, or from more addresses, than that.
    """
    check_within(grant, await access.find_callers_token(tx, actor))
    return await _create_one_of_many(tx, keyring, owner, grant)


async def rotate(
    tx: Tx, keyring: Keyring, token: AccessToken, *, actor: Actor, overlap: timedelta = timedelta()
) -> Made:
    """Another token for the same in place of this one, which is good for a while yet.

    A service's is from then on the caller's, who answers for it.
    """
    if not all(map(actor.covers, token.scopes or [EVERYTHING])):
        raise ScopeNotYours
    is_bots = token.owner_type == "agent_bot"
    owner = Owner(token.owner_type, token.owner_id if is_bots else actor.user_id or 0, token.account_id)
    check_within(grant_of(token), await access.find_callers_token(tx, actor))
    await queries.set_expires_at(tx, token.id, clock.now() + overlap)
    tx.wake(ENDED_TOPIC, str(token.id))
    return await _create_one_of_many(tx, keyring, owner, grant_of(token))


async def revoke(tx: Tx, token_id: int) -> None:
    """End a token; every process refuses it within five seconds."""
    _tell_of_end(tx, await queries.revoke_tokens(tx, [token_id]))


async def revoke_some(tx: Tx, token_ids: Sequence[int]) -> None:
    """End these tokens."""
    _tell_of_end(tx, await queries.revoke_tokens(tx, token_ids))


async def revoke_leaked(tx: Tx, keyring: Keyring, text: str) -> None:
    """End the token of which this is the text, whosever it is; what is no token of ours changes nothing."""
    if tokens.is_well_formed(text):
        _tell_of_end(tx, await queries.revoke_by_digest(tx, keyring.digests(text)))


async def revoke_all(tx: Tx, owner: Owner) -> None:
    """End every token of somebody."""
    _tell_of_end(tx, await queries.revoke_tokens_of(tx, owner))


def doubt_all(tx: Tx) -> None:
    """Have every process look again whom it lets in: something changed for many tokens at once."""
    tx.wake(ENDED_TOPIC)


async def prune_tokens(tx: Tx) -> bool:
    """Forget some of the tokens that ended a while ago; whether there may be more."""
    return await queries.delete_ended(tx, before=clock.now() - KEPT_ENDED, most=MOST_PRUNED) == MOST_PRUNED


async def prune_strays(tx: Tx) -> None:
    """Forget the tokens of people who are gone."""
    await queries.delete_stray(tx)


def grant_of(token: AccessToken) -> Grant:
    """What a token is for."""
    return Grant(
        name=token.name,
        scopes=token.scopes,
        allowed_addresses=[str(address) for address in token.allowed_addresses],
        allowed_origins=token.allowed_origins,
        expires_at=token.expires_at,
    )


async def create_bot_token(tx: Tx, keyring: Keyring, bot: Owner, *, name: str) -> Made:
    """A token with which this bot answers; one without an account is good where the bot is connected."""
    return await _create(tx, keyring, Grant(name=name), owner=bot)


async def create_platform_app(tx: Tx, keyring: Keyring, *, name: str) -> str:
    """A platform app; its token, shown once."""
    app_id = await queries.insert_platform_app(tx, name)
    return (await _create(tx, keyring, Grant(name=name), owner=Owner("platform_app", app_id))).text


async def _create_one_of_many(tx: Tx, keyring: Keyring, owner: Owner, grant: Grant) -> Made:
    if await queries.count_tokens(tx, owner) >= MOST_TOKENS:
        raise TooManyTokens
    return await _create(tx, keyring, grant, owner=owner)


async def _create(tx: Tx, keyring: Keyring, grant: Grant, *, owner: Owner) -> Made:
    prefix = _prefix(owner, grant)
    text = tokens.make_access_token(prefix)
    shown = prefix, text[-SHOWN_CHARACTERS:]
    return Made(await queries.insert_token(tx, grant, digest=keyring.digest(text), shown=shown, owner=owner), text)


def _prefix(owner: Owner, grant: Grant) -> str:
    """What a token says of itself: what is bound to some scopes, or to one account, is a service's."""
    if owner.type == "user":
        return tokens.SERVICE if grant.scopes or owner.account_id is not None else tokens.PERSON
    return tokens.BOT if owner.type == "agent_bot" else tokens.PLATFORM


def _tell_of_end(tx: Tx, token_ids: Sequence[int]) -> None:
    for token_id in token_ids:
        tx.wake(ENDED_TOPIC, str(token_id))
