"""Counts requests against the table of limits: by token, contact or inbox first, by address last."""

from __future__ import annotations

from collections.abc import Sequence

from criachat.kit.actors import Actor
from criachat.kit.addresses import Network
from criachat.kit.errors import TooMany
from criachat.kit.http.request import Request
from criachat.kit.http.routes import Endpoint
from criachat.kit.limits import LIMITS, Limiter, Subject, Verdict, address_key, client_address, headers

KEYED_BY: dict[str, Subject] = {limit.name: limit.keyed_by for limit in LIMITS}
EXEMPTS_LOOPBACK = {limit.name: limit.exempts_loopback for limit in LIMITS}


class RateGuard:
    """The limits of one process. Direct callers on this machine are exempt, except where a limit says otherwise."""

    def __init__(self, limiter: Limiter, *, trusted_proxies: Sequence[Network] = (), is_on: bool = True) -> None:
        self._limiter = limiter
        self._trusted_proxies = trusted_proxies
        self._is_on = is_on

    def __call__(self, request: Request, endpoint: Endpoint, actor: Actor) -> tuple[tuple[str, str], ...]:
        """Headers that tell what is left; raises `TooMany`."""
        if not self._is_on:
            return ()
        address, is_loopback = client_address(
            request.peer, request.headers.get("x-forwarded-for"), self._trusted_proxies
        )
        names = [_general(actor)] if endpoint.limit is None else [_general(actor), endpoint.limit]
        verdicts: list[Verdict] = []
        for name in names:
            if is_loopback and EXEMPTS_LOOPBACK[name]:
                continue
            verdict = self._limiter.check(name, _key(KEYED_BY[name], actor, address))
            if verdict is not None:
                verdicts.append(verdict)
        if not verdicts:
            return ()
        told = headers(verdicts)
        if not all(verdict.allowed for verdict in verdicts):
            raise TooMany(told)
        return tuple(told.items())


def _general(actor: Actor) -> str:
    if actor.token_id is not None:
        return "token"
    return "contact" if actor.contact_inbox_id is not None else "inbox" if actor.inbox_id is not None else "address"


def _key(subject: Subject, actor: Actor, address: str) -> str:
    match subject:
        case "token":
            return f"{actor.token_id}"
        case "contact":
            return f"{actor.account_id}:{actor.contact_inbox_id}"
        case "inbox":
            return f"{actor.account_id}:{actor.inbox_id}:{address_key(address)}"
        case "account":
            return f"{actor.account_id}"
        case "user":
            return f"{actor.account_id}:{actor.id}"
        case "address" | "email":
            return address_key(address)
