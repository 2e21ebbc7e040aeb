"""Opening an account from outside, over HTTP."""

from __future__ import annotations

from criachat.auth.credentials import session_headers
from criachat.auth.entrance import Entrance
from criachat.auth.operations import signing_up
from criachat.auth.resolver import TokenResolver
from criachat.auth.schemas import SignedUpOut, SignUpParams, signed_up_out
from criachat.kit.actors import ANYONE, EVERYTHING
from criachat.kit.errors import NoSuchPage, ScopeMissing
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes
from criachat.kit.settings import Settings
from criachat.users import access as users

routes = Routes("/api/v1/accounts", tag="Accounts")


@routes.post(actors=ANYONE, limit="sign-up")
async def sign_up(
    request: Request, entrance: Entrance, resolver: TokenResolver, settings: Settings, params: SignUpParams
) -> SignedUpOut:
    """Open an account and be its administrator, where the installation lets people do that.

    Who sends a session or an access token along opens it as the person they are.
    """
    if not settings.enable_sign_up:
        raise NoSuchPage
    caller = await resolver.find_person(request)
    if caller is None:
        session, account = await signing_up.sign_up(entrance, settings, params)
        user_id, token = session.user_id, session.api_token
        request.told += session_headers(session.credentials, session.expires_at)
    elif not caller.covers("account:write"):
        raise ScopeMissing("account:write")
    else:
        account = await signing_up.open_another(entrance, caller.id or 0, params)
        user_id, token = caller.id or 0, caller.access_token
    async with entrance.database.reading() as db:
        user = await users.load_person(db, user_id)
        memberships = await users.list_memberships(db, user.id)
    may_listen = caller is None or caller.covers(EVERYTHING)
    return signed_up_out(
        user, memberships, entrance.shown, account_id=account.id, access_token=token, may_listen=may_listen
    )
