"""What is answered to whoever comes in."""

from __future__ import annotations

from criachat.auth.credentials import session_headers
from criachat.auth.entrance import Entrance
from criachat.auth.models import Session
from criachat.auth.schemas import ChallengeOut, SignedInOut
from criachat.kit.http.answers import Answer
from criachat.kit.http.request import Request
from criachat.users import access as users
from criachat.users.schemas import profile_out


async def entered(request: Request, entrance: Entrance, came_in: Session | str) -> Answer:
    """Who they are, and in headers what lets them in from now on; or that a code is asked for."""
    if isinstance(came_in, str):
        return Answer(status=206, body=ChallengeOut(mfa_token=came_in))
    async with entrance.database.reading() as db:
        user = await users.load_person(db, came_in.user_id)
        memberships = await users.list_memberships(db, user.id)
    request.told += session_headers(came_in.credentials, came_in.expires_at)
    return Answer(body=SignedInOut(data=profile_out(user, memberships, entrance.shown, access_token=came_in.api_token)))
