from __future__ import annotations

from ipaddress import ip_address

import pytest

from criachat.kit.addresses import Trusted, is_public

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254 168.63.129.16
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255
198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 100::1
2001::1 2001:2::1 2001:10::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254
fe80::1 fe80::1%eth0 2606:4700::1111%eth0 fec0::1 ff02::1 4000::1
"""
PUBLIC = """
1.1.1.1 8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 192.0.1.1 198.17.255.255
198.20.0.0 223.255.255.255 2606:4700::1111 2a00:1450::1 2001:4860:4860::8888 64:ff9b::8.8.8.8
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_an_address_beside_the_special_ones_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("entry", "host", "port", "address"),
    [
        ("localhost", "localhost", 80, "127.0.0.1"),
        ("LocalHost.", "localhost", 80, "::1"),
        ("n8n:5678", "n8n", 5678, "172.18.0.4"),
        ("10.0.0.0/8", "db.example", 80, "10.1.2.3"),
        ("10.1.2.3/8", "db.example", 80, "10.200.0.1"),
        ("127.0.0.1", "127.0.0.1", 9, "127.0.0.1"),
        ("127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1"),
        ("::1", "::1", 80, "::1"),
        ("[::1]", "::1", 80, "::1"),
        ("[fd00::1]:81", "inner.example", 81, "fd00::1"),
        ("fd00::/8", "inner.example", 80, "fd12::9"),
    ],
)
def test_a_trusted_entry_opens_its_host(entry: str, host: str, port: int, address: str) -> None:
    assert Trusted([entry]).may_reach(host, port, [ip_address(address)])


@pytest.mark.parametrize(
    ("entry", "host", "port", "address"),
    [
        ("localhost", "evil.example", 80, "127.0.0.1"),
        ("localhost", "sub.localhost", 80, "127.0.0.1"),
        ("n8n:5678", "n8n", 5679, "172.18.0.4"),
        ("10.0.0.0/8", "db.example", 80, "172.16.0.1"),
        ("127.0.0.1:8080", "127.0.0.1", 8081, "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2", 80, "127.0.0.2"),
        ("127.0.0.1", "mapped.example", 80, "::ffff:127.0.0.1"),
        ("[fd00::1]:81", "inner.example", 80, "fd00::1"),
    ],
)
def test_a_trusted_entry_opens_nothing_else(entry: str, host: str, port: int, address: str) -> None:
    assert not Trusted([entry]).may_reach(host, port, [ip_address(address.replace("172.16.0.1", "172.16.0.1"))])


def test_one_private_address_among_public_ones_closes_the_host() -> None:
    addresses = [ip_address("8.8.8.8"), ip_address("10.0.0.1")]

    assert not Trusted([]).may_reach("mixed.example", 443, addresses)


@pytest.mark.parametrize("entry", ["", "10.0.0.0/40", "127.1", "http://localhost", "0x7f.1"])
def test_an_entry_that_means_nothing_stops_the_start(entry: str) -> None:
    with pytest.raises(ValueError, match="Not a host"):
        Trusted([entry])
