"""The socket we listen on."""

from __future__ import annotations

import errno
import socket
from typing import Final

from criachat.kit.settings import Settings
from criachat.serving.foundation import CannotStart

BACKLOG: Final = 2048


def bound(settings: Settings) -> socket.socket:
    """A socket that has its address but does not listen yet; connections are refused until `listen`."""
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as failure:
        raise CannotStart(
            f"{host!r} is not an address of this machine. --host or CRIACHAT_HOST takes one that is, "
            "such as 127.0.0.1, or 0.0.0.0 for all of them."
        ) from failure
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # `::` means every address, those of the old protocol included.
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(address)
    except OSError as failure:
        listening.close()
        raise CannotStart(_no_address(host, port, failure)) from failure
    return listening


def adopted(descriptor: int) -> socket.socket:
    """The socket that whoever started this process listens on."""
    return socket.socket(fileno=descriptor)


def listen(listening: socket.socket) -> None:
    """From now on connections are taken."""
    host, port = listening.getsockname()[:2]
    try:
        listening.listen(BACKLOG)
    except OSError as failure:
        raise CannotStart(_no_address(host, port, failure)) from failure


def url_of(listening: socket.socket, settings: Settings) -> str:
    """The address people use: the one that was set, or the one we listen on."""
    host, port = listening.getsockname()[:2]
    return url_at(host, port, settings)


def url_at(host: str, port: int, settings: Settings) -> str:
    """The address people use: the one that was set, or that of this host and port."""
    if settings.base_url:
        return settings.base_url.rstrip("/")
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _no_address(host: str, port: int, failure: OSError) -> str:
    match failure.errno:
        case errno.EADDRINUSE:
            return (
                f"Port {port} of {host} is taken by another program. Choose another with --port or CRIACHAT_PORT, "
                f"or find that program with `ss -ltnp sport = :{port}` and stop it."
            )
        case errno.EACCES:
            return (
                f"Port {port} is for privileged programs. Choose one of 1024 or above with --port or CRIACHAT_PORT, "
                "and put a reverse proxy in front."
            )
        case errno.EADDRNOTAVAIL:
            return (
                f"{host} is not an address of this machine. --host or CRIACHAT_HOST takes one that is, "
                "or 0.0.0.0 for all of them."
            )
        case _:
            return f"Port {port} of {host} cannot be listened on: {failure.strerror or failure}. Choose another."
