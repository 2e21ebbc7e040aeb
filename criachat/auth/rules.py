"""What an access token may be for: from what was sent to a grant, or a refusal."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network

from criachat.auth.errors import (
    AddressInvalid,
    ExpiryInvalid,
    OriginInvalid,
    OverlapInvalid,
    ScopeNotYours,
    ScopeUnknown,
)
from criachat.auth.models import AccessToken, Grant
from criachat.auth.schemas import RotationParams, TokenParams
from criachat.kit import clock
from criachat.kit.actors import EVERYTHING, Actor
from criachat.kit.addresses import Network
from criachat.kit.http.routes import KnownScopes

LONGEST_LIFE = timedelta(days=3653)
LONGEST_OVERLAP_HOURS = 7 * 24
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


def grant(params: TokenParams, known: KnownScopes, *, actor: Actor) -> Grant:
    """What was asked for; a token that may not do everything makes none that may do more than itself."""
    if not set(params.scopes) <= {*known.names, EVERYTHING}:
        raise ScopeUnknown
    if not all(map(actor.covers, params.scopes or [EVERYTHING])):
        raise ScopeNotYours
    if not all(map(ORIGIN.fullmatch, params.allowed_origins)):
        raise OriginInvalid
    return Grant(
        name=params.name.strip() or "Access token",
        scopes=list(dict.fromkeys(params.scopes)),
        allowed_addresses=[_network(address) for address in params.allowed_addresses],
        allowed_origins=params.allowed_origins,
        expires_at=_expiry(params.expires_at),
    )


def check_within(grant: Grant, maker: AccessToken | None) -> None:
    """Refuse a token that lasts longer, or is good in more places, than the one it is made with."""
    if maker is None:
        return
    ends_at = maker.expires_at
    if ends_at is not None and (grant.expires_at is None or grant.expires_at > ends_at):
        raise ScopeNotYours
    places = [ip_network(str(place), strict=False) for place in maker.allowed_addresses]
    wanted = [ip_network(address, strict=False) for address in grant.allowed_addresses]
    if places and not (wanted and all(any(_is_part(each, place) for place in places) for each in wanted)):
        raise ScopeNotYours


def overlap(params: RotationParams) -> timedelta:
    """How long two tokens are good."""
    if not 0 <= params.overlap_hours <= LONGEST_OVERLAP_HOURS:
        raise OverlapInvalid
    return timedelta(hours=params.overlap_hours)


def _is_part(network: Network, of: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(of, IPv4Network) and network.subnet_of(of)
    return isinstance(of, IPv6Network) and network.subnet_of(of)


def _network(address: str) -> str:
    try:
        return str(ip_network(address.strip(), strict=False))
    except ValueError as failure:
        raise AddressInvalid from failure


def _expiry(moment: datetime | None) -> datetime | None:
    if moment is not None and (moment.tzinfo is None or not clock.now() < moment < clock.now() + LONGEST_LIFE):
        raise ExpiryInvalid
    return moment
