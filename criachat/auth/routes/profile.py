"""What a person changes about themself that touches how they sign in, over HTTP."""

from __future__ import annotations

from msgspec import UNSET

from criachat.auth.errors import ScopeNotYours
from criachat.auth.jobs import Person, jobs, send_confirmation
from criachat.auth.operations.sessions import end_other_sessions
from criachat.kit.actors import EVERYTHING, PERSON, Actor
from criachat.kit.avatars import KeptAvatar
from criachat.kit.db import Tx
from criachat.kit.http.routes import Routes
from criachat.kit.shared_limits import SharedLimiter
from criachat.users import access as users
from criachat.users.operations import change_profile as change
from criachat.users.preparing import NewPassword
from criachat.users.schemas import ProfileOut, ProfileParams, profile_out
from criachat.users.shown import Shown

routes = Routes("/api/v1/profile", tag="Profile", scope="profile")


@routes.update(actors=PERSON, wrapper="profile", files=("avatar",))
async def change_profile(  # noqa: PLR0913 - a person has this many sides
    tx: Tx,
    actor: Actor,
    shown: Shown,
    limits: SharedLimiter,
    params: ProfileParams,
    kept: KeptAvatar,
    chosen: NewPassword,
) -> ProfileOut:
    """Change name, signature, settings, address, picture or, with the present one, the password.

    A new address counts once the link mailed to it was followed. That link signs in, so a token that may not do
    everything asks for none. With a new password all other sessions end.
    """
    if params.email is not UNSET and not actor.covers(EVERYTHING):
        raise ScopeNotYours
    user_id = actor.user_id or 0
    password_hash, picture = chosen.taken(), await kept.taken(tx)
    user = await change(tx, user_id, params, picture=picture, password_hash=password_hash)
    if password_hash is not None:
        await end_other_sessions(tx, user_id, kept=actor.session_id)
    if isinstance(params.email, str) and user.unconfirmed_email is not None:
        await _mail_link(tx, limits, user_id)
    changed = await users.load_user(tx, actor)
    memberships = await users.list_memberships(tx, user_id)
    may_listen = actor.covers(EVERYTHING)
    return profile_out(changed, memberships, shown, access_token=actor.access_token, may_listen=may_listen)


@routes.post("/resend_confirmation", actors=PERSON, limit="confirmation")
async def resend_confirmation(tx: Tx, actor: Actor, limits: SharedLimiter) -> None:
    """Have the link mailed again with which the caller's address is confirmed, if it is not."""
    user = await users.load_user(tx, actor)
    if user.confirmed_at is None or user.unconfirmed_email is not None:
        await _mail_link(tx, limits, user.id)


async def _mail_link(tx: Tx, limits: SharedLimiter, user_id: int) -> None:
    """Have the link mailed, so often and no more: the address may be a stranger's."""
    await limits.count_within(tx, "confirmation-user", str(user_id), times=1)
    await jobs.enqueue(tx, send_confirmation, Person(user_id), dedupe_key=str(user_id))
