"""Which addresses of the outside world we may connect to, and which private ones the operator trusts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Python's own `is_global` changed its mind between patch releases and does not know the
# metadata servers of the clouds, so the list is ours.
NOT_PUBLIC_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a metadata server
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # the host of a virtual machine on Azure
        "169.254.0.0/16",  # link-local; 169.254.169.254 is the metadata server
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a metadata server
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
PUBLIC_V6: Final = IPv6Network("2000::/3")
NOT_PUBLIC_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
# In a network without IPv4 every IPv4 host resolves to an address in here: what counts is the one inside.
NAT64: Final = IPv6Network("64:ff9b::/96")


@lru_cache(maxsize=4096)
def is_public(address: Address) -> bool:
    """Whether this is an address of the public internet, for anybody to connect to."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    if address.scope_id is not None:
        return False
    if address in NAT64:
        return is_public(IPv4Address(address.packed[-4:]))
    return address in PUBLIC_V6 and not any(address in network for network in NOT_PUBLIC_V6)


def read_address(host: str) -> Address | None:
    """The address that this host spells, None when it is a name."""
    with suppress(ValueError):
        return ip_address(host)
    return None


def read_networks(entries: Iterable[str]) -> list[Network]:
    """The networks that these spell, a single address being one of its own; a ValueError says which is none."""
    return [ip_network(entry, strict=False) for entry in entries]


def ends_in_number(host: str) -> bool:
    """Whether the system may read this as an IPv4 address in an old notation, like `127.1` or `0x7f000001`."""
    last = host.rsplit(".", 1)[-1]
    if last.isdecimal():
        return True
    return last.startswith("0x") and all(digit in "0123456789abcdef" for digit in last[2:])


class Trusted:
    """The private hosts an operator allows: names, addresses, networks, each with a port or without."""

    def __init__(self, entries: Collection[str]) -> None:
        self._names: set[tuple[str, int | None]] = set()
        self._networks: list[tuple[Network, int | None]] = []
        for entry in entries:
            self._add(entry.strip().lower())

    def _add(self, entry: str) -> None:
        with suppress(ValueError):
            self._networks.append((ip_network(entry, strict=False), None))
            return
        host, port = _split_port(entry)
        host = host.removeprefix("[").removesuffix("]").rstrip(".")
        address = read_address(host)
        if address is not None:
            self._networks.append((ip_network(address), port))
        elif host and "/" not in host and not ends_in_number(host):
            self._names.add((host, port))
        else:
            raise ValueError(f"Not a host, an address or a network: {entry!r}")

    def has_name(self, host: str, port: int) -> bool:
        """Whether whatever this name resolves to is trusted on this port."""
        return (host, None) in self._names or (host, port) in self._names

    def has_address(self, address: Address, port: int) -> bool:
        """Whether this very address is trusted on this port."""
        return any(only_port in (None, port) and address in network for network, only_port in self._networks)

    def may_reach(self, host: str, port: int, addresses: Sequence[Address]) -> bool:
        """Whether *each* of the addresses of this host may be connected to."""
        if self.has_name(host, port):
            return True
        return all(is_public(address) or self.has_address(address, port) for address in addresses)


def _split_port(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    if colon and port.isdecimal() and 0 < int(port) < 65536:
        return host, int(port)
    return entry, None
