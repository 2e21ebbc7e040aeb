"""New passwords and confirmed addresses, over HTTP."""

from __future__ import annotations

from criachat.auth.entrance import Entrance
from criachat.auth.errors import AddressUnknown, PasswordKeptElsewhere
from criachat.auth.jobs import Person, jobs, send_password_mail
from criachat.auth.operations import passwords
from criachat.auth.operations.entering import ELSEWHERE
from criachat.auth.queries.sessions import find_entrant
from criachat.auth.routes.answers import entered
from criachat.auth.schemas import ConfirmationParams, EmailParams, NewPasswordParams, SentOut
from criachat.kit.actors import ANYONE
from criachat.kit.http.answers import Answer
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Routes

routes = Routes("/auth", tag="Signing in")


@routes.post("/password", actors=ANYONE)
async def ask_for_password(request: Request, entrance: Entrance, params: EmailParams) -> SentOut:
    """Have a link mailed with which a new password is chosen."""
    email = params.email.strip().lower()
    await entrance.limits.count(request, {"password-reset": None, "password-reset-email": email})
    async with entrance.database.transaction() as tx:
        entrant = await find_entrant(tx, email)
        if entrant is None:
            raise AddressUnknown
        if entrant.provider == ELSEWHERE:
            raise PasswordKeptElsewhere
        await jobs.enqueue(tx, send_password_mail, Person(entrant.id), dedupe_key=str(entrant.id))
    return SentOut(message="A mail is on its way that tells how to choose a new password.")


@routes.update("/password", actors=ANYONE)
async def set_password(request: Request, entrance: Entrance, params: NewPasswordParams) -> Answer:
    """Choose a new password with the token that was mailed, and sign in with it; all other sessions end."""
    await entrance.limits.count(request, {"password-change": None})
    token, password, confirmation = params.reset_password_token, params.password, params.password_confirmation
    return await entered(request, entrance, await passwords.set_new_password(entrance, token, password, confirmation))


@routes.post("/confirmation", actors=ANYONE)
async def confirm_address(request: Request, entrance: Entrance, params: ConfirmationParams) -> Answer:
    """Confirm an address with the token that was mailed to it, and sign in."""
    await entrance.limits.count(request, {"password-change": None})
    return await entered(request, entrance, await passwords.confirm(entrance, params.confirmation_token))
