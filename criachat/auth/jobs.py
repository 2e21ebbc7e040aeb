"""Mails about signing in, and what is forgotten by the clock.

What a link carries is made when its mail is sent: it stands in no queue, and a mail that is tried again has another.
"""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from criachat.auth import mails, operations
from criachat.auth.operations.one_time import (
    CONFIRMATION_LASTS,
    INVITATION_LASTS,
    PASSWORD_LASTS,
    give_instead,
)
from criachat.auth.queries import one_time, sessions
from criachat.auth.queries.addressees import find_account_name, find_addressee
from criachat.kit.jobs import JobContext, Jobs
from criachat.kit.languages import language_of
from criachat.kit.mail import MAIL_RETRY, send, write

jobs = Jobs("auth")


class Person(msgspec.Struct, frozen=True):
    """Somebody who is written to."""

    user_id: int


class Invited(msgspec.Struct, frozen=True):
    """Somebody who was made a member of an account."""

    user_id: int
    account_id: int


@jobs.define(retry=MAIL_RETRY)
async def send_password_mail(context: JobContext, params: Person) -> None:
    """Mail a link with which a new password is chosen."""
    async with context.database.transaction() as tx:
        person = await find_addressee(tx, params.user_id)
        if person is None:
            return
        token = await give_instead(tx, "password", person.id, lasts=PASSWORD_LASTS)
    template = mails.PASSWORD[language_of(person.locale)]
    link = _password_link(context, token)
    await send(context.settings, write(template, to=person.email, link=link, name=person.name))


@jobs.define(retry=MAIL_RETRY)
async def send_invitation(context: JobContext, params: Invited) -> None:
    """Mail a link with which somebody who was invited chooses a password; not to who has accepted meanwhile."""
    async with context.database.transaction() as tx:
        person = await find_addressee(tx, params.user_id)
        account = await find_account_name(tx, params.account_id, params.user_id)
        if person is None or account is None or person.is_confirmed:
            return
        token = await give_instead(tx, "password", person.id, lasts=INVITATION_LASTS)
    template = mails.INVITATION[language_of(person.locale)]
    link = _password_link(context, token)
    await send(context.settings, write(template, to=person.email, link=link, name=person.name, account=account))


@jobs.define(retry=MAIL_RETRY)
async def send_confirmation(context: JobContext, params: Person) -> None:
    """Mail a link with which an address is confirmed: the one that was asked for, or the first."""
    async with context.database.transaction() as tx:
        person = await find_addressee(tx, params.user_id)
        if person is None or (person.is_confirmed and person.unconfirmed_email is None):
            return
        address = person.unconfirmed_email or person.email
        token = await give_instead(tx, "confirmation", person.id, lasts=CONFIRMATION_LASTS, email=address)
    template = mails.CONFIRMATION[language_of(person.locale)]
    link = f"{context.base_url}/app/auth/confirmation?{urlencode({'confirmation_token': token})}"
    await send(context.settings, write(template, to=address, link=link, name=person.name))


def _password_link(context: JobContext, token: str) -> str:
    return f"{context.base_url}/app/auth/password/edit?{urlencode({'reset_password_token': token})}"


@jobs.schedule("37 * * * *")
async def prune_sessions(context: JobContext) -> None:
    """Forget sessions that are over, and tokens for one use whose time is."""
    async with context.database.transaction() as tx:
        await sessions.prune_sessions(tx)
        await one_time.prune_one_time(tx)


@jobs.schedule("23 * * * *")
async def prune_tokens(context: JobContext) -> None:
    """Forget tokens that ended a month ago, a thousand at a time."""
    has_more = True
    while has_more:
        async with context.database.transaction() as tx:
            has_more = await operations.prune_tokens(tx)


@jobs.schedule("41 3 * * *")
async def prune_strays(context: JobContext) -> None:
    """Forget the tokens of people who are gone; they let nobody in since then."""
    async with context.database.transaction() as tx:
        await operations.prune_strays(tx)
