"""Mail to people: the one place that speaks SMTP. Jobs send it, requests never do.

A slice keeps the sentences of its mails in `mails.py`, a `Template` for each language, and sends them from a job:
`await send(context.settings, write(WELCOME[language], to=user.email, link=link, name=user.name))`.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from html import escape
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
import structlog

from criachat.kit import clock
from criachat.kit.jobs import GiveUp, Retry
from criachat.kit.settings import Settings

log = structlog.get_logger()

PATIENCE_SECONDS: Final = 30
SUBMISSION_PORT: Final = 587
ENCRYPTED_PORT: Final = 465
LOOPBACK: Final = frozenset(("127.0.0.1", "::1", "localhost"))
PERMANENT: Final = range(500, 600)
# A mail server may be away for some hours.
MAIL_RETRY: Final = Retry(attempts=14, first_wait_seconds=5)

PAGE: Final = """\
<!DOCTYPE html>
<html><body style="margin:0;padding:24px;background:#f5f6f8;font:16px/1.5 sans-serif;color:#1f2d3d">
<div style="max-width:560px;margin:auto;padding:24px;background:#fff;border-radius:8px">
{paragraphs}
</div></body></html>
"""
BUTTON: Final = (
    '<p><a href="{link}" style="display:inline-block;padding:10px 20px;border-radius:6px;background:#1f93ff;'
    'color:#fff;text-decoration:none">{label}</a></p>\n<p style="font-size:13px;word-break:break-all">{link}</p>'
)


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to one address, as plain text and as a page."""

    to: str
    subject: str
    text: str
    html: str | None = None


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """The sentences of a mail in one language. `{name}` stands for a value; a `button` leads to the mail's link."""

    subject: str
    paragraphs: tuple[str, ...]
    button: str | None = None


class MailDelayed(Exception):
    """The mail server does not take this mail now"""


def write(template: Template, *, to: str, link: str | None = None, **values: str) -> Mail:
    """The mail with its values filled in; in the page they are text, whatever they look like.

    Each stays in its line: people call themselves what they like, and write no paragraph to others with it.
    """
    told = {name: " ".join(value.split()) for name, value in values.items()}
    escaped = {name: escape(value) for name, value in told.items()}
    texts = [paragraph.format(**told) for paragraph in template.paragraphs]
    blocks = [f"<p>{escape(paragraph, quote=False).format(**escaped)}</p>" for paragraph in template.paragraphs]
    if link is not None:
        texts.append(link)
        blocks.append(BUTTON.format(link=escape(link), label=escape(template.button or link)))
    return Mail(
        to=to,
        subject=template.subject.format(**told),
        text="\n\n".join(texts) + "\n",
        html=PAGE.format(paragraphs="\n".join(blocks)),
    )


def sender_address(settings: Settings) -> str | None:
    """The address mails come from; None when none are sent."""
    return None if settings.smtp_url is None else parseaddr(settings.mail_from)[1]


async def send(settings: Settings, mail: Mail) -> None:
    """Hand a mail to the server of the settings; without one it is shown in the log, links and all.

    Raises `GiveUp` when no later try would do better, and anything else when one might.
    """
    if settings.smtp_url is None:
        log.info("mail_shown_here", to=mail.to, subject=mail.subject, text=mail.text)
        return
    message = _message(mail, sender=settings.mail_from)
    await asyncio.to_thread(_deliver, urlsplit(settings.smtp_url), message)


def _message(mail: Mail, *, sender: str) -> EmailMessage:
    message = EmailMessage()
    name, address = parseaddr(sender)
    try:
        message["From"] = Address(name, addr_spec=address)
        # As an object, or an address with a comma in it would be read as two.
        message["To"] = Address(addr_spec=mail.to)
    except (MessageError, ValueError, IndexError):
        # What was wrong with the address would be told with the address in it, which no log is to show.
        raise GiveUp("the address cannot be written to") from None
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2] or "localhost")
    # Machines that answer in the name of people on holiday do not answer this.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    return message


def _deliver(server: SplitResult, message: EmailMessage) -> None:
    try:
        with _connected(server) as connection:
            connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as failure:
        _refuse(max(code for code, _ in failure.recipients.values()))
    except smtplib.SMTPDataError as failure:
        _refuse(failure.smtp_code)
    except smtplib.SMTPNotSupportedError:
        raise GiveUp("the mail server cannot write to addresses like this") from None


def _refuse(code: int) -> None:
    """Raise, without what the server said: it repeats the address."""
    if code in PERMANENT:
        raise GiveUp(f"the mail server refused it for good ({code})") from None
    raise MailDelayed(f"the mail server does not take it now ({code})") from None


def _connected(server: SplitResult) -> smtplib.SMTP:
    """A connection, encrypted wherever the server can, and always before a password is told."""
    host = server.hostname or ""
    context = ssl.create_default_context()
    if server.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            host, server.port or ENCRYPTED_PORT, timeout=PATIENCE_SECONDS, context=context
        )
    else:
        connection = smtplib.SMTP(host, server.port or SUBMISSION_PORT, timeout=PATIENCE_SECONDS)
    try:
        _introduce(connection, server, context)
    except BaseException:
        connection.close()
        raise
    return connection


def _introduce(connection: smtplib.SMTP, server: SplitResult, context: ssl.SSLContext) -> None:
    connection.ehlo()
    if server.scheme == "smtp" and server.hostname not in LOOPBACK:
        if connection.has_extn("starttls"):
            connection.starttls(context=context)
        elif server.username:
            raise GiveUp("the mail server offers no encryption, and without it is told no password")
    if server.username:
        connection.login(unquote(server.username), unquote(server.password or ""))
