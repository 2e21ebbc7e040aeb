"""Mail as it leaves: what a server is given, and what happens when it does not take it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from mailserver import Mailbox, text_of
from structlog.testing import capture_logs

from criachat.kit.jobs import GiveUp
from criachat.kit.logs import describe
from criachat.kit.mail import MailDelayed, Template, send, write
from criachat.kit.settings import Settings

WELCOME = Template(subject="Olá, {name}", paragraphs=("Olá {name},", "bem-vinda à {account}."), button="Começar")
LINK = "https://chat.example/app?a=1&b=2"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """One of each test's own."""
    async with Mailbox().open() as mailbox:
        yield mailbox


def settings(mailbox: Mailbox, **chosen: str) -> Settings:
    return Settings(smtp_url=mailbox.url, mail_from="Loja Azul <loja@chat.example>", **chosen)


async def test_a_mail_arrives_as_text_and_as_a_page(mailbox: Mailbox) -> None:
    mail = write(WELCOME, to="ana@example.com", link=LINK, name="Ana", account="Loja & <b>Cia</b> {x}")

    await send(settings(mailbox), mail)

    (arrived,) = mailbox.of("ana@example.com")
    assert (arrived["From"], arrived["To"]) == ("Loja Azul <loja@chat.example>", "ana@example.com")
    assert (arrived["Subject"], arrived["Auto-Submitted"]) == ("Olá, Ana", "auto-generated")
    assert arrived["Message-ID"].endswith("@chat.example>")
    assert text_of(arrived) == f"Olá Ana,\n\nbem-vinda à Loja & <b>Cia</b> {{x}}.\n\n{LINK}\n"
    page = arrived.get_body(("html",))
    assert page is not None
    assert "Loja &amp; &lt;b&gt;Cia&lt;/b&gt; {x}." in page.get_content()
    assert 'href="https://chat.example/app?a=1&amp;b=2"' in page.get_content()


async def test_who_logs_in_says_so_before_the_mail(mailbox: Mailbox) -> None:
    url = mailbox.url.replace("//", "//loja:p%40ss@")

    await send(Settings(smtp_url=url), write(WELCOME, to="ana@example.com", name="Ana", account="Loja"))

    assert mailbox.logins == [("loja", "p@ss")]
    assert len(mailbox.of("ana@example.com")) == 1


async def test_nothing_in_a_name_becomes_a_header_or_a_second_receiver(mailbox: Mailbox) -> None:
    mail = write(WELCOME, to="ana@example.com", name="Ana\r\nBcc: eva@example.com", account="Loja")

    await send(settings(mailbox), mail)
    with pytest.raises(GiveUp):
        await send(settings(mailbox), write(WELCOME, to="a,eva@example.com", name="Ana", account="Loja"))

    (arrived,) = mailbox.of("ana@example.com")
    assert arrived["Subject"] == "Olá, Ana Bcc: eva@example.com"
    assert arrived["Bcc"] is None
    assert mailbox.of("eva@example.com") == []


async def test_a_name_writes_no_lines_of_its_own() -> None:
    name = "Eve,\r\n\r\nyour account is closed. Pay at\u2028http://evil.example\x85now"

    mail = write(WELCOME, to="ana@example.com", link=LINK, name=name, account="Loja\nAzul")

    text = "Olá Eve, your account is closed. Pay at http://evil.example now,\n\nbem-vinda à Loja Azul."
    assert mail.text == f"{text}\n\n{LINK}\n"
    assert mail.html is not None
    assert "<p>bem-vinda à Loja Azul.</p>" in mail.html


async def test_an_address_that_cannot_be_written_to_stands_in_no_log(mailbox: Mailbox) -> None:
    mail = write(WELCOME, to="rosa@example.com, eva", name="Rosa", account="Loja")

    with pytest.raises(GiveUp) as given_up:
        await send(settings(mailbox), mail)

    assert "rosa@" not in describe(given_up.value)


@pytest.mark.parametrize(("code", "outcome"), [(550, GiveUp), (451, MailDelayed)])
async def test_what_is_refused_for_good_is_given_up_and_what_is_delayed_tried_again(
    mailbox: Mailbox, code: int, outcome: type[Exception]
) -> None:
    mailbox.refuses("ana@example.com", code)

    with pytest.raises(outcome) as failed:
        await send(settings(mailbox), write(WELCOME, to="ana@example.com", name="Ana", account="Loja"))

    assert str(code) in str(failed.value)
    assert "ana@example.com" not in str(failed.value)


async def test_without_a_server_a_mail_is_shown_in_the_log() -> None:
    with capture_logs() as logs:
        await send(Settings(), write(WELCOME, to="ana@example.com", link=LINK, name="Ana", account="Loja"))

    (shown,) = [each for each in logs if each["event"] == "mail_shown_here"]
    assert (shown["to"], shown["subject"]) == ("ana@example.com", "Olá, Ana")
    assert LINK in shown["text"]
