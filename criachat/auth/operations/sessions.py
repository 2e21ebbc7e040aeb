"""What can be done with sessions: each is one browser or phone in which somebody signed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from criachat.auth.credentials import api_token_of
from criachat.auth.errors import WrongCredentials
from criachat.auth.events import SignedIn, SignedOut
from criachat.auth.models import Credentials, Entrant, Owner, Session
from criachat.auth.operations import ENDED_TOPIC, SHOWN_CHARACTERS, revoke_all
from criachat.auth.operations.one_time import CHALLENGE_LASTS, give
from criachat.auth.queries import sessions as queries
from criachat.auth.queries.one_time import delete_unused
from criachat.kit import clock, tokens
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import Unauthenticated
from criachat.kit.events import emit_in_accounts
from criachat.kit.tokens import Keyring
from criachat.users import access as users

LIFETIME = timedelta(days=60)
MOST_SESSIONS = 25


async def enter(tx: Tx, keyring: Keyring, entrant: Entrant) -> Session | str:
    """A session of this person; or, when they have a second factor, the token with which to show it."""
    if entrant.has_second_factor:
        return await give(tx, "second_factor", entrant.id, lasts=CHALLENGE_LASTS)
    return await open_session(tx, keyring, entrant)


async def open_session(tx: Tx, keyring: Keyring, entrant: Entrant) -> Session:
    """A new session; of more than 25, the one that would end first ends now."""
    credentials = Credentials(tokens.session_secret(), tokens.session_secret(), entrant.email)
    expires_at = clock.now() + LIFETIME
    session_id = await queries.insert_session(
        tx,
        entrant,
        client=credentials.client,
        digest=keyring.digest(credentials.access_token),
        expires_at=expires_at,
    )
    if session_id is None:
        raise WrongCredentials
    session = Session(
        id=session_id,
        user_id=entrant.id,
        credentials=credentials,
        expires_at=expires_at,
        api_token=api_token_of(credentials, 1),
    )
    await _keep_api_token(tx, keyring, session)
    await end_sessions(tx, await queries.list_surplus_sessions(tx, entrant.id, kept=MOST_SESSIONS))
    await _tell_accounts(tx, SignedIn, entrant.id)
    return session


async def sign_out(tx: Tx, user_id: int, session_id: int) -> None:
    """End this session; of two who end it at once, one does."""
    if await queries.lock_session(tx, session_id):
        await end_sessions(tx, [session_id])
        await _tell_accounts(tx, SignedOut, user_id)


async def end_sessions(tx: Tx, session_ids: Sequence[int]) -> None:
    """End these sessions and their access tokens; every process refuses them within five seconds."""
    if session_ids:
        ended = await queries.end_sessions(tx, session_ids)
        tx.wake(ENDED_TOPIC, " ".join(map(str, ended)))


async def end_other_sessions(tx: Tx, user_id: int, *, kept: int | None) -> None:
    """End all sessions of a person, but for the one that is kept, and what was given them to begin another with."""
    await delete_unused(tx, user_id, ["password", "second_factor"])
    await end_sessions(tx, await queries.list_other_sessions(tx, user_id, kept))


async def end_everything(tx: Tx, user_id: int) -> None:
    """End all sessions and access tokens of a person, and what was given them to begin another with."""
    await end_other_sessions(tx, user_id, kept=None)
    await revoke_all(tx, Owner("user", user_id))


async def reset_api_token(tx: Tx, keyring: Keyring, actor: Actor, credentials: Credentials) -> str:
    """Another access token of the caller's session, in place of the one that ends now."""
    session_id, user_id = actor.session_id or 0, actor.user_id or 0
    following = await queries.end_api_token(tx, user_id, session_id)
    if following is None:
        raise Unauthenticated
    tx.wake(ENDED_TOPIC, str(actor.token_id))
    text = api_token_of(credentials, following.token_number)
    await _keep_api_token(
        tx,
        keyring,
        Session(
            id=session_id,
            user_id=user_id,
            credentials=credentials,
            expires_at=following.expires_at,
            api_token=text,
        ),
    )
    return text


async def _tell_accounts(tx: Tx, kind: type[SignedIn | SignedOut], user_id: int) -> None:
    """Each account of theirs is told."""
    memberships = await users.list_memberships(tx, user_id)
    told = [kind(account_id=each.account_id, actor_type="user", actor_id=user_id) for each in memberships]
    await emit_in_accounts(tx, told)


async def _keep_api_token(tx: Tx, keyring: Keyring, session: Session) -> None:
    text = session.api_token
    await queries.insert_api_token(
        tx,
        session.user_id,
        session.id,
        digest=keyring.digest(text),
        shown=(tokens.SESSION, text[-SHOWN_CHARACTERS:]),
        expires_at=session.expires_at,
    )
