"""Somebody else's mail server: takes what is sent through it, keeps it, and refuses what it was told to refuse."""

from __future__ import annotations

import asyncio
import base64
import email
import email.policy
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from email.message import EmailMessage
from typing import cast


class Mailbox:
    """The server, and the mails it was given, by their receiver."""

    def __init__(self) -> None:
        self.url = ""
        self.logins: list[tuple[str, str]] = []
        self._mails: dict[str, list[EmailMessage]] = {}
        self._refusals: dict[str, int] = {}

    def of(self, address: str) -> list[EmailMessage]:
        """The mails to this address, in order."""
        return self._mails.get(address.lower(), [])

    def refuses(self, address: str, code: int | None) -> None:
        """Mails to this address are answered with this code from now on; taken again when None."""
        if code is None:
            del self._refusals[address.lower()]
        else:
            self._refusals[address.lower()] = code

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Mailbox]:
        """The server listens for as long as the block lasts."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receivers: list[str] = []
        writer.write(b"220 mailbox.test\r\n")
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := (await reader.readline()).decode():
                verb = line[:4].upper()
                if verb == "DATA":
                    writer.write(b"354 go on\r\n")
                    self._keep(await reader.readuntil(b"\r\n.\r\n"), receivers)
                    receivers = []
                writer.write(self._answer(line, receivers))
                if verb == "QUIT":
                    break
        writer.close()

    def _answer(self, line: str, receivers: list[str]) -> bytes:
        match line[:4].upper():
            case "EHLO":
                return b"250-mailbox.test\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n"
            case "AUTH":
                _, name, password = base64.b64decode(line.split()[-1]).decode().split("\0")
                self.logins.append((name, password))
                return b"235 ok\r\n"
            case "RCPT":
                address = line.partition("<")[2].partition(">")[0].lower()
                code = self._refusals.get(address, 250)
                if code == 250:
                    receivers.append(address)
                return f"{code} {address}\r\n".encode()
            case "QUIT":
                return b"221 bye\r\n"
            case _:
                return b"250 ok\r\n"

    def _keep(self, data: bytes, receivers: list[str]) -> None:
        raw = data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        mail = cast(EmailMessage, email.message_from_bytes(raw, policy=email.policy.default))
        for address in receivers:
            self._mails.setdefault(address, []).append(mail)


def text_of(mail: EmailMessage) -> str:
    """Its plain text."""
    body = mail.get_body(("plain",))
    assert body is not None
    return body.get_content().replace("\r\n", "\n")
