from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hostile import HOSTILE_ADDRESSES, PRIVATE_NAMES, resolving

from criachat.kit import clock
from criachat.kit.outside import Answer, InvalidUrl, Outside, OutsideFailed, Resolve, check_url

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

FAR_AWAY = 20.0


class Receiver:
    """A server on this machine that does whatever it is told, and remembers what it was asked."""

    def __init__(self, behave: Behave) -> None:
        self.behave = behave
        self.port = 0
        self.connections = 0
        self.finished = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self.behave(reader, writer)
        finally:
            writer.close()
            self.finished.set()


@asynccontextmanager
async def receiver(
    behave: Behave, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None, narrow: bool = False
) -> AsyncIterator[Receiver]:
    made = Receiver(behave)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # Only the end of the test cancels it; asyncio would report that as a failure of the server.
        with suppress(asyncio.CancelledError):
            await made.serve(reader, writer)
        tasks.discard(task)

    listening = socket.create_server((host, port))
    if narrow:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server = await asyncio.start_server(serve, sock=listening, ssl=tls, limit=4096 if narrow else 65536)
    made.port = listening.getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next((int(line[15:]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0)
    return head, await reader.readexactly(length)


def answering(body: bytes = b"ok", *, status: str = "200 OK", headers: str = "") -> Behave:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            writer.write(f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()

    return behave


async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    await asyncio.Event().wait()


@pytest.fixture
async def outside() -> AsyncGenerator[Outside]:
    client = Outside(["127.0.0.1"], "CriaChat")
    yield client
    await client.close()


@asynccontextmanager
async def client(*allowed: str, resolve: Resolve | None = None) -> AsyncIterator[Outside]:
    made = Outside(allowed, "CriaChat", resolve=resolve)
    try:
        yield made
    finally:
        await made.close()


async def post(outside: Outside, url: str, *, body: bytes = b"{}", seconds: float = FAR_AWAY) -> Answer:
    return await outside.post(url, body=body, headers={}, timeout_seconds=seconds)


async def test_a_post_sends_exactly_these_bytes_and_headers(outside: Outside) -> None:
    asked: list[tuple[str, bytes]] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await read_request(reader))
        writer.write(b"HTTP/1.1 201 Created\r\nX-Kept: yes\r\nContent-Length: 4\r\n\r\ndone")

    async with receiver(behave) as there:
        answer = await outside.post(
            there.url + "?a=b%20c", body=b'{"a": 1}', headers={"webhook-id": "evt_1"}, timeout_seconds=FAR_AWAY
        )

    head, body = asked[0]
    assert body == b'{"a": 1}'
    assert head.startswith("POST /hook?a=b%20c HTTP/1.1\r\n")
    assert "webhook-id: evt_1\r\n" in head
    assert "User-Agent: CriaChat\r\n" in head
    assert "Content-Type" not in head
    assert (answer.status, answer.body, answer.truncated) == (201, b"done", False)
    assert ("X-Kept", "yes") in answer.headers
    assert 0 < answer.first_byte_seconds <= answer.duration_seconds < FAR_AWAY


async def test_requests_to_one_host_share_a_connection_and_no_cookies(outside: Outside) -> None:
    heads: list[str] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append((await read_request(reader))[0])
            writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: session=1\r\nContent-Length: 0\r\n\r\n")

    async with receiver(behave) as there:
        for _ in range(3):
            await post(outside, there.url)

        assert there.connections == 1
        assert len(heads) == 3
        assert not any("Cookie" in head for head in heads)


async def test_a_redirect_is_an_answer_and_is_not_followed(outside: Outside) -> None:
    async with receiver(answering()) as other:
        redirecting = answering(b"", status="302 Found", headers=f"Location: {other.url}\r\n")
        async with receiver(redirecting) as there:
            posted = await post(outside, there.url)
            got = await outside.get(there.url, headers={}, timeout_seconds=FAR_AWAY, max_bytes=10)

        assert posted.status == got.status == 302
        assert ("Location", other.url) in posted.headers
        assert other.connections == 0


async def test_a_proxy_of_the_environment_is_not_asked(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver(answering(b"proxy")) as proxy, receiver(answering(b"receiver")) as there:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")

        answer = await post(outside, there.url)

        assert answer.body == b"receiver"
        assert proxy.connections == 0


async def test_userinfo_becomes_basic_authentication(outside: Outside) -> None:
    heads: list[str] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await read_request(reader))[0])
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with receiver(behave) as there:
        await post(outside, there.url.replace("127.0.0.1", "ana:secret@127.0.0.1"))

    assert "Authorization: Basic YW5hOnNlY3JldA==\r\n" in heads[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Note": "a\r\nX-Smuggled: b"},
        {"X-Note": "a\nb"},
        {"X-Note": "a\x00b"},
        {"X-Note": "\ud800"},
        {"X-No\r\nte": "a"},
        {"X Note": "a"},
        {"X-Note:": "a"},
        {"": "a"},
        {"Host": "other.example"},
        {"Transfer-Encoding": "chunked"},
        {"content-length": "3"},
        {"Connection": "upgrade"},
    ],
)
async def test_a_header_that_could_end_the_request_is_refused(outside: Outside, headers: dict[str, str]) -> None:
    async with receiver(answering()) as there:
        with pytest.raises(OutsideFailed) as failed:
            await outside.post(there.url, body=b"", headers=headers, timeout_seconds=FAR_AWAY)

        assert failed.value.kind == "invalid_header"
        assert there.connections == 0


async def test_a_body_past_one_mebibyte_is_not_sent(outside: Outside) -> None:
    async with receiver(answering()) as there:
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, there.url, body=b"x" * (1024 * 1024 + 1))

        assert failed.value.kind == "too_large"
        assert there.connections == 0


HOSTILE_TEXTS = [
    "http://127%2e0%2e0%2e1:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://%6cocalhost:{port}/",
    "http://good.example\\@127.0.0.1:{port}/",
    "http://good.example\t@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\r\nHost: other/",
    "http://127.0.\n0.1:{port}/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1 .good.example:{port}/",
    "http://local\u200bhost:{port}/",
    "http://[::1:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://[v1.localhost]:{port}/",
    "http:127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}/",
    "http://:{port}/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:-1/",
    "http://a..example:{port}/",
    "http://*.example:{port}/",
    "http://" + "a" * 64 + ".example:{port}/",
    "http://" + "a." * 130 + "example:{port}/",
    "http://good.example/" + "a" * 8000,
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_GET",
    "ws://127.0.0.1:{port}/",
    "unix:///run/docker.sock",
    "javascript:alert(1)",
    "data:text/plain,hello",
    "",
]


@pytest.mark.parametrize("url", HOSTILE_ADDRESSES)
async def test_a_private_address_in_any_disguise_is_refused(url: str) -> None:
    async with receiver(answering()) as inner, client(resolve=PRIVATE_NAMES) as outside:
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, url.replace("{port}", str(inner.port)))

        assert failed.value.kind in ("refused_address", "invalid_url")
        assert inner.connections == 0


@pytest.mark.parametrize("url", HOSTILE_TEXTS)
async def test_a_url_that_is_none_is_refused_when_saved_and_when_asked(url: str) -> None:
    async with receiver(answering()) as inner, client("127.0.0.1", "localhost") as outside:
        url = url.replace("{port}", str(inner.port))

        with pytest.raises(InvalidUrl):
            check_url(url)
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, url)

        assert failed.value.kind == "invalid_url"
        assert inner.connections == 0


def test_there_are_at_least_sixty_disguises() -> None:
    assert len(set(HOSTILE_ADDRESSES)) >= 60


@pytest.mark.parametrize(
    "url", ["https://n8n.example/webhook/1?a=b", "http://a_b.internal:5678/", "https://bücher.example", "http://[::1]/"]
)
def test_a_url_that_could_be_asked_may_be_saved(url: str) -> None:
    check_url(url)


async def test_a_name_that_turns_private_after_the_check_gains_nothing() -> None:
    """First an address that may be reached, then another: each request goes where its own check looked."""
    told = [["127.0.0.1"], ["127.0.0.2"]]
    resolved: list[str] = []

    async def rebind(host: str) -> Sequence[str]:
        resolved.append(host)
        return told[len(resolved) - 1]

    async with (
        receiver(answering(headers="Connection: close\r\n")) as good,
        receiver(answering(), host="127.0.0.2", port=good.port) as inner,
        client("127.0.0.1", resolve=rebind) as outside,
    ):
        url = f"http://rebinding.example:{good.port}/"

        first = await post(outside, url)
        assert first.status == 200
        assert resolved == ["rebinding.example"]

        clock.travel(dt.timedelta(seconds=11))
        try:
            with pytest.raises(OutsideFailed) as failed:
                await post(outside, url)
        finally:
            clock.travel(dt.timedelta(seconds=-11))

        assert failed.value.kind == "refused_address"
        assert resolved == ["rebinding.example"] * 2
        assert (good.connections, inner.connections) == (1, 0)


async def test_a_remembered_address_is_judged_again_for_each_port() -> None:
    asked = 0

    async def resolve(host: str) -> Sequence[str]:
        nonlocal asked
        asked += 1
        return ["127.0.0.1"]

    async with receiver(answering()) as good, receiver(answering()) as inner:
        async with client(f"shared.example:{good.port}", resolve=resolve) as outside:
            answer = await post(outside, f"http://shared.example:{good.port}/")
            with pytest.raises(OutsideFailed) as failed:
                await post(outside, f"http://shared.example:{inner.port}/")

        assert answer.status == 200
        assert failed.value.kind == "refused_address"
        assert (asked, inner.connections) == (1, 0)


@pytest.mark.parametrize("allowed", ["localhost", "127.0.0.0/8", "LOCALHOST.", "127.0.0.1"])
async def test_a_trusted_host_is_reached_by_its_name(allowed: str) -> None:
    async with receiver(answering()) as there, client(allowed, resolve=resolving(localhost=["127.0.0.1"])) as outside:
        answer = await post(outside, f"http://LocalHost.:{there.port}/")

        assert answer.body == b"ok"


async def test_the_system_resolves_names_too() -> None:
    async with receiver(answering()) as there, client("localhost") as outside:
        answer = await post(outside, f"http://localhost:{there.port}/")

        assert answer.body == b"ok"


async def test_a_name_without_addresses_is_unresolved() -> None:
    async with client(resolve=resolving(empty_example=[])) as outside:
        for host in ("nowhere.example", "empty.example"):
            with pytest.raises(OutsideFailed) as failed:
                await post(outside, f"http://{host}/")
            assert failed.value.kind == "unresolved"


async def test_one_lookup_serves_all_who_wait_for_it_even_when_the_first_gives_up() -> None:
    asked = 0
    may_answer = asyncio.Event()

    async def resolve(host: str) -> Sequence[str]:
        nonlocal asked
        asked += 1
        await may_answer.wait()
        return ["127.0.0.1"]

    async with receiver(answering()) as there, client("127.0.0.1", resolve=resolve) as outside:
        url = f"http://slow.example:{there.port}/"
        patient = asyncio.create_task(post(outside, url))
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, url, seconds=0.05)
        may_answer.set()

        assert failed.value.kind == "timeout"
        assert (await patient).body == b"ok"
        assert asked == 1


async def test_a_receiver_that_hangs_fails_at_the_deadline(outside: Outside) -> None:
    async with receiver(hang) as there:
        started = clock.monotonic()
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, there.url, seconds=0.1)

        assert failed.value.kind == "timeout"
        assert clock.monotonic() - started < 2
        assert there.connections == 1


async def test_a_receiver_that_never_reads_fails_at_the_deadline(outside: Outside) -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]
        await asyncio.Event().wait()

    async with receiver(ignore) as there:
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, there.url, body=b"x" * 1024 * 1024, seconds=0.1)

    assert failed.value.kind == "timeout"


@pytest.mark.parametrize("start", ["HTTP/1.1 200 OK\r\nX-Slow: ", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"])
async def test_a_receiver_that_drips_fails_at_the_deadline(outside: Outside, start: str) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(start.encode())
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with receiver(drip) as there:
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, there.url, seconds=0.2)
        async with asyncio.timeout(FAR_AWAY):
            await there.finished.wait()

    assert failed.value.kind == "timeout"


@pytest.mark.parametrize("framing", ["Content-Length: 100000000000", "X-Until: closed", "Transfer-Encoding: chunked"])
async def test_of_a_flood_the_first_20_kilobytes_are_kept_and_the_rest_is_not_read(
    outside: Outside, framing: str
) -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        part = b"x" * 65536
        part = b"10000\r\n" + part + b"\r\n" if "chunked" in framing else part
        while True:
            writer.write(part)
            await writer.drain()
            sent += len(part)

    async with receiver(flood) as there:
        tracemalloc.start()
        answer = await post(outside, there.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        async with asyncio.timeout(FAR_AWAY):
            await there.finished.wait()

    assert (answer.status, len(answer.body), answer.truncated) == (200, 20_000, True)
    assert answer.duration_seconds < FAR_AWAY
    assert peak < 4 * 1024 * 1024
    assert sent < 64 * 1024 * 1024  # what the buffers of the kernel take, and no more


async def test_an_answer_of_exactly_20_kilobytes_is_whole(outside: Outside) -> None:
    async with receiver(answering(b"x" * 20_000)) as there:
        answer = await post(outside, there.url)

    assert (len(answer.body), answer.truncated) == (20_000, False)


async def test_a_download_past_its_limit_fails(outside: Outside) -> None:
    async with receiver(answering(b"x" * 50_000)) as there:
        whole = await outside.get(there.url, headers={}, timeout_seconds=FAR_AWAY, max_bytes=50_000)
        with pytest.raises(OutsideFailed) as failed:
            await outside.get(there.url, headers={}, timeout_seconds=FAR_AWAY, max_bytes=49_999)

    assert len(whole.body) == 50_000
    assert failed.value.kind == "too_large"


@pytest.mark.parametrize(("start", "part"), [(b"X-Long: ", b"x" * 65536), (b"", b"X-One-More: please\r\n" * 1000)])
async def test_headers_without_end_are_not_read(outside: Outside, start: bytes, part: bytes) -> None:
    sent = 0

    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n" + start)
        while True:
            writer.write(part)
            await writer.drain()
            sent += len(part)

    async with receiver(shout) as there:
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, there.url)
        async with asyncio.timeout(FAR_AWAY):
            await there.finished.wait()

    assert failed.value.kind == "connection"
    assert sent < 64 * 1024 * 1024


async def test_many_long_headers_are_kept_in_part(outside: Outside) -> None:
    headers = "".join(f"X-Header-{number}: {'v' * 5000}\r\n" for number in range(100))
    async with receiver(answering(headers=headers)) as there:
        answer = await post(outside, there.url)

    assert len(answer.headers) == 64
    assert max(len(value) for _, value in answer.headers) == 1000


async def test_a_receiver_that_resets_is_a_failed_connection(outside: Outside) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.transport.abort()

    async with receiver(reset) as there:
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, there.url)

    assert failed.value.kind == "connection"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_half_an_answer_is_a_failed_connection(outside: Outside, said: bytes) -> None:
    async def mumble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(said)
        await writer.drain()

    async with receiver(mumble) as there:
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, there.url)

    assert failed.value.kind == "connection"


async def test_a_closed_port_is_a_failed_connection(outside: Outside) -> None:
    async with receiver(answering()) as there:
        url = there.url

    with pytest.raises(OutsideFailed) as failed:
        await post(outside, url)

    assert failed.value.kind == "connection"


async def test_a_switch_of_protocols_is_an_answer(outside: Outside) -> None:
    async def switch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        await writer.drain()

    async with receiver(switch) as there:
        answer = await post(outside, there.url)

    assert answer.status == 101


async def test_an_answer_given_before_the_body_was_read_does_not_spoil_the_next_request(outside: Outside) -> None:
    answered = asyncio.Event()
    begun: list[str] = []

    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            begun.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            await answered.wait()
            answered.clear()
            await reader.readexactly(1024 * 1024)

    async with receiver(hasty, narrow=True) as there:
        for _ in range(3):
            answer = await post(outside, there.url, body=b"x" * 1024 * 1024, seconds=5)
            answered.set()
            assert answer.status == 413

    assert begun == ["POST /hook HTTP/1.1"] * 3


async def test_one_host_that_hangs_leaves_connections_to_the_others() -> None:
    outside = Outside(["127.0.0.1"], "CriaChat", max_connections=4)
    async with receiver(hang) as dead, receiver(answering()) as good:
        stuck = [asyncio.create_task(post(outside, dead.url)) for _ in range(20)]
        answer = await post(outside, good.url)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        await outside.close()

        assert answer.body == b"ok"
        assert dead.connections <= 1


def make_certificate(folder: Path, host: str) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = folder / f"{host}.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = folder / f"{host}.key"
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


async def test_only_a_certificate_of_a_known_authority_for_this_very_host_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public, context = make_certificate(tmp_path, "secure.example")
    resolve = resolving(secure_example=["127.0.0.1"], other_example=["127.0.0.1"])
    async with receiver(answering(), tls=context) as there:
        async with client("127.0.0.1", resolve=resolve) as stranger:
            with pytest.raises(OutsideFailed) as unknown:
                await post(stranger, f"https://secure.example:{there.port}/")

        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        async with client("127.0.0.1", resolve=resolve) as acquainted:
            answer = await post(acquainted, f"https://secure.example.:{there.port}/")
            with pytest.raises(OutsideFailed) as misnamed:
                await post(acquainted, f"https://other.example:{there.port}/")

    assert unknown.value.kind == misnamed.value.kind == "tls"
    assert answer.body == b"ok"


async def test_a_receiver_that_speaks_no_tls_fails_as_such(outside: Outside) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with receiver(plain) as there:
        with pytest.raises(OutsideFailed) as failed:
            await post(outside, there.url.replace("http:", "https:"))

    assert failed.value.kind == "tls"
