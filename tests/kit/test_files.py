from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from criachat.kit import clock
from criachat.kit.errors import NotFound
from criachat.kit.files import Blob, ContentDiffers, Files, FileTooLarge, new_key

KEY = b"k" * 32
BASE_URL = "https://chat.example"

Travel = Callable[[timedelta], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def files(folder: Path) -> Files:
    return Files(folder, KEY, BASE_URL)


@pytest.fixture
def travel() -> Iterator[Travel]:
    """Moves the clock forward; afterwards it is the present again."""
    travelled = timedelta()

    def move(by: timedelta) -> None:
        nonlocal travelled
        clock.travel(by)
        travelled += by

    yield move
    clock.travel(-travelled)


async def pieces(*parts: bytes, fails: bool = False) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if fails:
        raise ConnectionResetError("the visitor went away")


async def content(files: Files, key: str, *, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in await files.open(key, start=start, length=length)])


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def test_what_was_stored_is_read_back(files: Files) -> None:
    key = new_key(3, "photo.png")

    stored = await files.put(key, pieces(b"a" * 100_000, b"b" * 300_000))

    whole = b"a" * 100_000 + b"b" * 300_000
    assert await content(files, key) == whole
    assert stored.byte_size == 400_000
    assert stored.checksum == base64.b64encode(hashlib.md5(whole, usedforsecurity=False).digest()).decode()
    assert stored.head == whole[: 256 * 1024]


async def test_bytes_and_nothing_are_stored_too(files: Files) -> None:
    some, none, nobody = new_key(3, "a"), new_key(3, "b"), new_key(3, "c")

    await files.put(some, b"hello")
    await files.put(none, b"")
    await files.put(nobody, pieces())

    assert [await content(files, key) for key in (some, none, nobody)] == [b"hello", b"", b""]


async def test_a_part_of_a_file_is_read_for_players(files: Files) -> None:
    key = new_key(3, "film.mp4")
    await files.put(key, b"0123456789")

    assert await content(files, key, start=4) == b"456789"
    assert await content(files, key, start=2, length=3) == b"234"


async def test_a_large_file_arrives_in_pieces(files: Files) -> None:
    key = new_key(3, "film.mp4")
    await files.put(key, b"x" * 5_000_000)

    chunks = [len(chunk) async for chunk in await files.open(key)]

    assert sum(chunks) == 5_000_000
    assert max(chunks) < 1_000_000


async def test_a_file_that_is_not_there_is_not_found(files: Files) -> None:
    with pytest.raises(NotFound):
        await files.open(new_key(3, "a.png"))


async def test_a_file_deleted_twice_is_gone(files: Files, folder: Path) -> None:
    key = new_key(3, "a.png")
    await files.put(key, b"x")

    await files.delete(key)
    await files.delete(key)

    assert left_in(folder) == []
    with pytest.raises(NotFound):
        await files.open(key)


async def test_a_file_past_its_limit_leaves_nothing_and_is_not_read_to_its_end(files: Files, folder: Path) -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"x" * 100_000

    with pytest.raises(FileTooLarge) as refused:
        await files.put(new_key(3, "a.bin"), endless(), max_bytes=1_000_000)
    with pytest.raises(FileTooLarge):
        await files.put(new_key(3, "a.bin"), b"x" * 1_000_001, max_bytes=1_000_000)

    assert refused.value.status == 413
    assert asked == 11
    assert left_in(folder) == []


@pytest.mark.parametrize("size", [10, 12_000_000])
async def test_other_content_than_its_checksum_says_leaves_nothing(files: Files, folder: Path, size: int) -> None:
    content = b"x" * size
    told = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    key = new_key(3, "a.bin")

    for other in (content[:-1] + b"y", content[:-1]):
        with pytest.raises(ContentDiffers):
            await files.put(key, other, checksum=told)
        with pytest.raises(ContentDiffers):
            await files.put(key, pieces(other[:5], other[5:]), checksum=told)
    left = left_in(folder)
    stored = await files.put(key, pieces(content), checksum=told)

    assert (left, stored.checksum, stored.byte_size) == ([], told, size)


async def test_a_file_of_exactly_its_limit_is_stored(files: Files) -> None:
    stored = await files.put(new_key(3, "a.bin"), pieces(b"x" * 600, b"x" * 400), max_bytes=1000)

    assert stored.byte_size == 1000


@pytest.mark.parametrize("size", [10, 20_000_000])
async def test_an_upload_that_breaks_off_leaves_nothing(files: Files, folder: Path, size: int) -> None:
    with pytest.raises(ConnectionResetError):
        await files.put(new_key(3, "a.bin"), pieces(b"x" * size, fails=True))

    assert left_in(folder) == []


FILL = """
import asyncio, json, os, resource, sys
from pathlib import Path
from criachat.kit.files import Blob, Files, FileStoreFull, new_key

async def pieces():
    for _ in range(size // 100_000):
        yield b"x" * 100_000

async def fill():
    answers = []
    for content in (b"x" * size, pieces()):
        key = new_key(3, "a.bin")
        try:
            await files.put(key, content)
        except FileStoreFull as refused:
            answers.append([refused.status, refused.text])
    await files.put(new_key(3, "b.bin"), b"small")
    left = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    print(json.dumps({"answers": answers, "left": left}))

folder, limit, size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
files = Files(folder, b"k" * 32, "")
asyncio.run(fill())
"""


def run(*command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own commands


FULL = {"answers": [[507, "There is no room left for files"]] * 2, "left": [5]}


@pytest.mark.parametrize("size", [200_000, 20_000_000])
def test_a_full_store_refuses_and_keeps_nothing_half_written(folder: Path, size: int) -> None:
    ran = run(sys.executable, "-c", FILL, str(folder), "50000", str(size))

    assert json.loads(ran.stdout) == FULL


def test_a_full_disk_refuses_and_keeps_nothing_half_written(folder: Path) -> None:
    folder.mkdir()
    tiny_disk = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=64k tiny "$0" && exec "$@"', str(folder)]
    if shutil.which("unshare") is None or run(*tiny_disk, "true").returncode:
        pytest.skip("this system lets us mount no disk of our own")

    ran = run(*tiny_disk, sys.executable, "-c", FILL, str(folder), "0", "200000")

    assert json.loads(ran.stdout) == FULL


@pytest.mark.parametrize(
    "key",
    [
        *("", "/etc/passwd", "../secret", "3/ab/../../secret", "3/ab", "3//x", "3/ab/" + "x" * 28 + "/../x"),
        *("3/ab/" + "x" * 27, "3/ab/" + "x" * 28 + ".png/", "3/ab/" + "x" * 28 + ".p ng", "3/ab/" + "x" * 28 + "\n"),
        *("3/ab/" + "x" * 28 + "\x00", "%2e%2e/" + "x" * 28, "3\\ab\\" + "x" * 28, "-3/ab/" + "x" * 28),
    ],
)
async def test_a_key_that_is_not_ours_opens_nothing(files: Files, folder: Path, key: str) -> None:
    (folder.parent / "secret").write_text("secret")

    with pytest.raises(NotFound):
        await files.open(key)
    with pytest.raises(NotFound):
        await files.delete(key)
    with pytest.raises(NotFound):
        await files.put(key, b"x")

    assert left_in(folder.parent) == ["secret"]


@pytest.mark.parametrize(
    ("filename", "ending"),
    [
        ("photo.PNG", ".png"),
        ("archive.tar.gz", ".gz"),
        ("../../etc/passwd", ""),
        ("a.php/../../b", ""),
        ("a.\u202egnp", ".gnp"),
        ("a.verylongextension", ""),
        ("a.p%00g", ""),
        ("", ""),
    ],
)
def test_of_a_filename_only_a_plain_extension_enters_the_key(filename: str, ending: str) -> None:
    key, other = new_key(42, filename), new_key(42, filename)

    account, shard, name = key.split("/")
    assert account == "42"
    assert name[:2].lower() == shard
    assert name[28:] == ending
    assert key != other


def test_the_folder_of_a_file_url_is_used(tmp_path: Path) -> None:
    Files((tmp_path / "a b").as_uri(), KEY, BASE_URL)

    assert (tmp_path / "a b").is_dir()
    assert (tmp_path / "a b").stat().st_mode & 0o077 == 0


def test_a_bucket_is_named_by_its_url(tmp_path: Path) -> None:
    files = Files("s3://bucket/prefix?region=eu-west-1", KEY, BASE_URL)

    assert files.verify(files.signed_id(Blob(3, 1))) == Blob(3, 1)
    with pytest.raises(Exception, match=r"(?i)scheme|unknown|unable|recogni"):
        Files("carrier-pigeon://coop", KEY, BASE_URL)


def test_a_short_signing_key_stops_the_start(folder: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Files(folder, b"short", BASE_URL)


@pytest.mark.parametrize("blob_id", [1, 812, 2**63 - 1])
def test_a_signed_id_stands_for_its_blob(files: Files, blob_id: int) -> None:
    assert files.verify(files.signed_id(Blob(3, blob_id))) == Blob(3, blob_id)


def test_a_forged_id_stands_for_nothing(files: Files, folder: Path) -> None:
    good = files.signed_id(Blob(3, 1))
    payload, signature = good.split("--")
    other_payload = files.signed_id(Blob(3, 2)).split("--")[0]
    other_installation = Files(folder, b"o" * 32, BASE_URL)
    forged = [
        f"{other_payload}--{signature}",
        f"{payload}--{'0' * 64}",
        f"{payload}--",
        f"{payload}{signature}",
        f"{payload}=--{signature}",
        f"{payload}--{signature}0",
        f"{payload}--{signature.upper()}",
        f"{payload[:-1]}--{signature}",
        f"--{signature}",
        "--",
        "",
        "1",
        "é--ü",
        "\ud800--\udfff",
        good + "\n",
        other_installation.signed_id(Blob(3, 1)),
    ]

    assert [files.verify(signed_id) for signed_id in forged] == [None] * len(forged)


def test_what_was_signed_before_the_key_was_rotated_stays_good(files: Files, folder: Path) -> None:
    blob, picture = Blob(3, 1), new_key(3, "face.png")
    signature = files.avatar_url(picture).split("/")[4]
    rotated, without_it = Files(folder, b"n" * 32, BASE_URL, older_keys=[KEY]), Files(folder, b"n" * 32, BASE_URL)

    assert rotated.verify(files.signed_id(blob)) == blob
    assert rotated.is_avatar(picture, signature)
    assert rotated.signed_id(blob) == without_it.signed_id(blob)
    assert without_it.verify(files.signed_id(blob)) is None
    assert not without_it.is_avatar(picture, signature)


def test_every_changed_character_breaks_a_signed_id(files: Files) -> None:
    good = files.signed_id(Blob(3, 812))

    for place, character in enumerate(good):
        changed = good[:place] + ("a" if character != "a" else "b") + good[place + 1 :]
        assert files.verify(changed) is None


def test_an_id_for_showing_does_not_upload(files: Files) -> None:
    shown, upload = (
        files.signed_id(Blob(3, 1)),
        files.signed_id(Blob(3, 1), purpose="upload", valid_for=timedelta(hours=1)),
    )

    assert files.verify(shown, purpose="upload") is None
    assert files.verify(upload) is None
    assert files.verify(upload, purpose="upload") == Blob(3, 1)


def test_a_signed_id_expires_but_not_within_thirty_days(files: Files, travel: Travel) -> None:
    signed_id = files.signed_id(Blob(3, 1))

    travel(timedelta(days=30))
    assert files.verify(signed_id) == Blob(3, 1)
    travel(timedelta(days=8))
    assert files.verify(signed_id) is None


def test_an_id_for_an_hour_lasts_two_at_most(files: Files, travel: Travel) -> None:
    signed_id = files.signed_id(Blob(3, 1), purpose="upload", valid_for=timedelta(hours=1))

    travel(timedelta(hours=1))
    assert files.verify(signed_id, purpose="upload") == Blob(3, 1)
    travel(timedelta(hours=1))
    assert files.verify(signed_id, purpose="upload") is None


def test_an_address_stays_the_same_for_a_while(files: Files, travel: Travel) -> None:
    week, month = timedelta(days=7).total_seconds(), timedelta(days=30).total_seconds()
    travel(timedelta(seconds=week - (clock.unix() + month) % week + 1))
    first = files.blob_url(Blob(3, 1), "a.png")

    travel(timedelta(days=6))
    assert files.blob_url(Blob(3, 1), "a.png") == first
    travel(timedelta(days=1))
    assert files.blob_url(Blob(3, 1), "a.png") != first


def test_addresses_end_in_the_name_of_the_file(files: Files) -> None:
    signed_id = files.signed_id(Blob(3, 1))
    root = "https://chat.example/rails/active_storage"

    assert files.blob_url(Blob(3, 1), "café 1.png") == f"{root}/blobs/redirect/{signed_id}/caf%C3%A9%201.png"
    assert files.thumbnail_url(Blob(3, 1), "a.png") == f"{root}/representations/redirect/{signed_id}/w250/a.png"
    assert files.blob_url(Blob(3, 1), "../../a?b#c").endswith(f"{signed_id}/a-b%23c")
