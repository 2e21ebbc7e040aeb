"""Signing in and out, over HTTP."""

from __future__ import annotations

from criachat.auth.credentials import api_token_of, credentials_of
from criachat.auth.entrance import Entrance
from criachat.auth.errors import NotSignedIn, SessionInvalid
from criachat.auth.operations import entering, sessions
from criachat.auth.resolver import TokenResolver
from criachat.auth.routes.answers import entered
from criachat.auth.schemas import PayloadOut, SignInParams, SuccessOut, valid_out
from criachat.kit.actors import ANYONE
from criachat.kit.http.answers import Answer
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes
from criachat.users import access as users
from criachat.users.schemas import profile_out

routes = Routes("/auth", tag="Signing in")


@routes.post("/sign_in", actors=ANYONE)
async def sign_in(request: Request, entrance: Entrance, params: SignInParams) -> Answer:
    """Sign in with a password or a login link.

    Headers of the answer let the caller in from now on: `access-token`, `client` and `uid`, for two months. Where a
    second factor is set up, the answer is 206 with an `mfa_token`: send it again with an `otp_code` or a `backup_code`.
    """
    if params.mfa_token:
        return await _with_code(request, entrance, params)
    await entrance.limits.count(request, {"sign-in": None, "sign-in-email": params.email.strip().lower()})
    if params.sso_auth_token:
        return await entered(request, entrance, await entering.by_link(entrance, params.email, params.sso_auth_token))
    return await entered(request, entrance, await entering.by_password(entrance, params.email, params.password))


async def _with_code(request: Request, entrance: Entrance, params: SignInParams) -> Answer:
    await entrance.limits.count(request, {"second-factor": None, "second-factor-token": params.mfa_token})
    user_id = await entering.find_challenged(entrance, params.mfa_token)
    await entrance.limits.count(request, {"second-factor-user": str(user_id)})
    session = await entering.by_second_factor(
        entrance, params.mfa_token, otp_code=params.otp_code, backup_code=params.backup_code
    )
    return await entered(request, entrance, session)


@routes.delete("/sign_out", actors=ANYONE)
async def sign_out(request: Request, entrance: Entrance, resolver: TokenResolver) -> SuccessOut:
    """End the session this request came with, and its access token."""
    identity = await resolver.find_session(request)
    if identity is None or identity.session_id is None:
        raise NotSignedIn
    request.told = ()
    async with entrance.database.transaction() as tx:
        await sessions.sign_out(tx, identity.owner_id, identity.session_id)
    return SuccessOut()


@routes.get("/validate_token", actors=ANYONE)
async def validate_token(request: Request, entrance: Entrance, resolver: TokenResolver) -> PayloadOut:
    """Who is signed in with the session this request came with."""
    identity, credentials = await resolver.find_session(request), credentials_of(request)
    if identity is None or credentials is None:
        raise SessionInvalid
    async with entrance.database.reading() as db:
        user = await users.load_person(db, identity.owner_id)
        memberships = await users.list_memberships(db, user.id)
    token = api_token_of(credentials, identity.token_number or 0)
    return valid_out(profile_out(user, memberships, entrance.shown, access_token=token), user.created_at)
