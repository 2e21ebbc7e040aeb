"""What help centres do later."""

from __future__ import annotations

import msgspec

from criachat.help_center.mails import INSTRUCTIONS
from criachat.help_center.models import Portal
from criachat.kit.db import Tx
from criachat.kit.jobs import JobContext, Jobs
from criachat.kit.languages import language_of
from criachat.kit.mail import MAIL_RETRY, send, write

jobs = Jobs("help_center")


class Instructions(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to read how a domain is set up."""

    email: str
    name: str
    domain: str
    host: str
    locale: str


@jobs.define(retry=MAIL_RETRY)
async def send_instructions(context: JobContext, params: Instructions) -> None:
    """Mail somebody how the portal's domain is set up."""
    template = INSTRUCTIONS[language_of(params.locale)]
    mail = write(template, to=params.email, name=params.name, domain=params.domain, host=params.host)
    await send(context.settings, mail)


async def send_instructions_later(tx: Tx, portal: Portal, *, email: str, host: str, locale: str) -> None:
    """Have the mail sent once this transaction has committed."""
    params = Instructions(email=email, name=portal.name, domain=portal.custom_domain or "", host=host, locale=locale)
    await jobs.enqueue(tx, send_instructions, params)
