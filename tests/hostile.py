"""Addresses that nobody outside may have us ask, in every disguise; `{port}` stands for whatever listens there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from criachat.kit.outside import Resolve

LISTED: Final = """
http://127.0.0.1:{port}/ http://127.0.0.1.:{port}/ http://127.0.0.1..:{port}/ http://127.1:{port}/
http://127.0.1:{port}/ http://127.1.:{port}/ http://2130706433:{port}/ http://017700000001:{port}/
http://0x7f000001:{port}/ http://0x7f.0.0.1:{port}/ http://0X7F.1:{port}/ http://0177.0.0.1:{port}/
http://0177.0x0.1:{port}/ http://127.0.0.01:{port}/ http://0:{port}/ http://0.0.0.0:{port}/ http://0x0:{port}/
http://00000000000000000000177.1:{port}/ http://127.000.000.001:{port}/ http://4294967295:{port}/
http://\uff11\uff12\uff17.\uff10.\uff10.\uff11:{port}/ http://127。0。0。1:{port}/
http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460:{port}/ http://127\uff0e0\uff0e0\uff0e1:{port}/
http://ana@127.0.0.1:{port}/ http://ana:pw@127.0.0.1:{port}/ http://good.example@127.0.0.1:{port}/
http://good.example:80@127.0.0.1:{port}/ http://good.example%2f@127.0.0.1:{port}/
http://127.0.0.1:{port}#@good.example/ http://127.0.0.1:{port}?@good.example/ HTTP://127.0.0.1:{port}/
https://127.0.0.1:{port}/ http://127.255.255.254:{port}/ http://10.0.0.1:{port}/ http://172.16.0.1:{port}/
http://192.168.0.1:{port}/ http://100.64.0.1:{port}/ http://100.100.100.200/latest/meta-data/
http://169.254.169.254/latest/meta-data/ http://0xa9fea9fe/ http://2852039166/ http://0251.0376.0251.0376/
http://169.254.43518/ http://168.63.129.16/ http://192.0.0.192/ http://198.18.0.1/ http://192.0.2.1/
http://224.0.0.1/ http://240.0.0.1/ http://255.255.255.255/
http://[::1]:{port}/ http://[0:0:0:0:0:0:0:1]:{port}/ http://[::]:{port}/ http://[::127.0.0.1]:{port}/
http://[::ffff:127.0.0.1]:{port}/ http://[::ffff:7f00:1]:{port}/ http://[::FFFF:127.0.0.1]:{port}/
http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/ http://[64:ff9b::127.0.0.1]:{port}/ http://[64:ff9b:1::7f00:1]:{port}/
http://[2002:7f00:1::1]:{port}/ http://[2001:0:7f00:1::]:{port}/ http://[fe80::1]:{port}/
http://[fe80::1%25lo]:{port}/ http://[fe80::1%lo]:{port}/ http://[::1%25lo]:{port}/ http://[fd00:ec2::254]/
http://[fc00::1]:{port}/ http://[ff02::1]:{port}/ http://[fec0::1]:{port}/ http://[2001:db8::1]:{port}/
http://localhost:{port}/ http://LOCALHOST:{port}/ http://localhost.:{port}/ http://inner.example:{port}/
http://six.example:{port}/ http://mapped.example:{port}/ http://mixed.example:{port}/ http://MIXED.example.:{port}/
http://metadata.google.internal/ http://xn--bcher-kva.example:{port}/ http://bücher.example:{port}/
http://ana@inner.example:{port}/ http://nat.example:{port}/ http://scoped.example:{port}/
"""
HOSTILE_ADDRESSES: Final = LISTED.split()


def resolving(**hosts: Sequence[str]) -> Resolve:
    async def resolve(host: str) -> Sequence[str]:
        found = hosts.get(host.replace(".", "_").replace("-", "_"))
        if found is None:
            raise OSError("Name or service not known")
        return found

    return resolve


PRIVATE_NAMES: Final = resolving(
    localhost=["127.0.0.1", "::1"],
    inner_example=["10.0.0.1"],
    six_example=["::1"],
    mapped_example=["::ffff:127.0.0.1"],
    mixed_example=["93.184.216.34", "127.0.0.1"],
    metadata_google_internal=["169.254.169.254"],
    xn__bcher_kva_example=["192.168.1.1"],
    nat_example=["64:ff9b::7f00:1"],
    scoped_example=["fe80::1%lo"],
)
