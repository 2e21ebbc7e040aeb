from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO
from urllib.parse import unquote

import pytest

from criachat.kit.media import file_type, image_size, is_inline, safe_filename, serving_headers, sniff


def png(width: int = 3, height: int = 2) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def jpeg(width: int = 3, height: int = 2) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + b"\xff\xc0\x00\x0b" + frame


def gif(width: int = 3, height: int = 2) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x00\x00\x00\x3b"


def bmp(width: int = 3, height: int = 2) -> bytes:
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)


def webp(width: int = 3, height: int = 2) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x00\x00\x00\x00" + size


def mpeg_4(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x20ftyp" + brand + b"\x00\x00\x02\x00isomiso2\x00\x00\x00\x00" + b"\x00" * 16


def zipped(*names: str) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, "content")
    return written.getvalue()


OGG = b"OggS\x00\x02" + b"\x00" * 40
WEBM = (
    b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x84webm\x42\x87\x81\x04"
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("head", "declared", "filename", "expected"),
    [
        (png(), "image/png", "a.png", "image/png"),
        (png(), "", "", "image/png"),
        (jpeg(), "image/jpg", "a.jpg", "image/jpeg"),
        (gif(), "image/gif", "a.gif", "image/gif"),
        (bmp(), "image/x-ms-bmp", "a.bmp", "image/bmp"),
        (webp(), "image/webp", "a.webp", "image/webp"),
        (b"%PDF-1.4\nplain", "application/pdf", "a.pdf", "application/pdf"),
        (b"{\\rtf1 hello}", "text/rtf", "a.rtf", "application/rtf"),
        (OGG, "audio/ogg; codecs=opus", "voice.ogg", "audio/ogg"),
        (OGG, "video/ogg", "film.ogv", "video/ogg"),
        (WEBM, "audio/webm;codecs=opus", "voice.webm", "audio/webm"),
        (WEBM, "video/webm", "film.webm", "video/webm"),
        (WEBM, "", "film.webm", "video/webm"),
        (mpeg_4(b"isom"), "video/mp4", "film.mp4", "video/mp4"),
        (mpeg_4(b"iso5"), "audio/mp4", "voice.mp4", "audio/mp4"),
        (mpeg_4(b"3gp5"), "", "film.3gp", "video/mp4"),
        (mpeg_4(b"M4A "), "", "voice.m4a", "audio/mp4"),
        (mpeg_4(b"qt  "), "video/quicktime", "film.mov", "video/quicktime"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00", "audio/x-wav", "a.wav", "audio/wav"),
        (b"\xff\xfb\x90\x64" + b"\x00" * 40, "audio/mp3", "a.mp3", "audio/mpeg"),
        (zipped("note.txt"), "application/zip", "a.zip", "application/zip"),
        (zipped("note.txt"), "", "letter.docx", DOCX),
        (zipped("note.txt"), DOCX, "", DOCX),
        (OLE, "application/msword", "a.doc", "application/msword"),
        (OLE, "", "a.xls", "application/vnd.ms-excel"),
        (b"name,total\nAna,3\n", "text/csv", "a.csv", "text/csv"),
        (b"name,total\nAna,3\n", "application/octet-stream", "a.csv", "text/csv"),
        ("nome;ação\n".encode("cp1252"), "text/csv", "a.csv", "text/csv"),
        ("nome\tação\n".encode("utf-16"), "text/plain", "a.txt", "text/plain"),
        (b'{"a": 1}', "application/json", "a.json", "application/json"),
        (b"hello", "", "", "text/plain"),
        (b"<?xml version='1.0'?><NFe/>", "text/xml", "nota.xml", "application/xml"),
        (b"<NFe/>", "", "nota.xml", "application/xml"),
        (b"\x01\x02\x03\x04", "application/x-pkcs12", "key.p12", "application/x-pkcs12"),
        (b"\x01\x02\x03\x04", "", "", "application/octet-stream"),
        (b"", "image/png", "a.png", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_say(head: bytes, declared: str, filename: str, expected: str) -> None:
    assert sniff(head, declared, filename) == expected


@pytest.mark.parametrize(
    ("head", "declared", "filename", "expected"),
    [
        (b"<html><script>alert(1)</script>", "image/png", "a.png", "text/html"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html><p>", "image/jpeg", "a.jpg", "text/html"),
        ("<script>alert(1)</script>".encode("utf-16"), "image/png", "a.png", "text/html"),
        (b"<!-- a --><script>alert(1)</script>", "application/pdf", "a.pdf", "text/html"),
        (b"<b onmouseover=alert(1)>", "text/plain", "a.txt", "text/html"),
        (b"<html xmlns='x'><script/>", "application/xml", "a.xml", "text/html"),
        (b"GIF89a=1;alert(1)//<html>", "image/gif", "a.gif", "text/plain"),
        (b"BM<script>alert(1)</script>", "image/bmp", "a.bmp", "text/plain"),
        (b"<svg onload=alert(1)>", "image/png", "a.png", "image/svg+xml"),
        (b"<?xml version='1.0'?><svg xmlns='x'/>", "image/svg+xml", "a.svg", "image/svg+xml"),
        (b"alert(1)", "text/html", "a.html", "text/plain"),
        (b"alert(1)", "application/javascript", "a.js", "text/plain"),
        (b"alert(1)", "image/svg+xml", "a.svg", "text/plain"),
        (b"\x00\x01<html>", "text/html", "a.html", "application/octet-stream"),
        (b"\x00\x01\x02", "image/png", "a.png", "application/octet-stream"),
        (b"\x00\x01\x02", "application/pdf", "a.pdf", "application/octet-stream"),
        (png(), "text/html", "a.html", "image/png"),
        (zipped("index.html"), "text/html", "a.html", "application/zip"),
        (b"hello", "text/plain\r\nX-Bad: 1", "a", "text/plain"),
    ],
)
def test_a_lie_about_the_type_is_not_believed(head: bytes, declared: str, filename: str, expected: str) -> None:
    assert sniff(head, declared, filename) == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [(f"image/{name}", "image") for name in ("jpeg", "png", "gif", "bmp", "webp")]
    + [(f"video/{name}", "video") for name in ("ogg", "mp4", "webm", "quicktime")]
    + [(f"audio/{name}", "audio") for name in ("ogg", "mpeg", "webm", "anything")]
    + [("IMAGE/PNG; a=b", "image")]
    + [
        (name, "file")
        for name in ("image/svg+xml", "image/heic", "video/x-msvideo", "application/pdf", "text/html", "")
    ],
)
def test_the_kind_of_an_attachment_follows_its_type(content_type: str, expected: str) -> None:
    assert file_type(content_type) == expected


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "audio/ogg", "video/mp4", "application/pdf"])
def test_pictures_sound_films_and_pdf_are_shown(content_type: str) -> None:
    headers = serving_headers(content_type, "a.bin")

    assert is_inline(content_type)
    assert headers["Content-Type"] == content_type
    assert headers["Content-Disposition"].startswith("inline; ")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "content_type",
    [
        *("image/svg+xml", "IMAGE/SVG+XML; charset=utf-8", "text/html", "application/xhtml+xml", "application/xml"),
        *("text/javascript", "application/javascript", "multipart/related", "message/rfc822", "nonsense", ""),
    ],
)
def test_what_could_run_a_script_is_saved_under_a_type_nobody_opens(content_type: str) -> None:
    headers = serving_headers(content_type, "a.svg")

    assert not is_inline(content_type)
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert "sandbox" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("content_type", ["text/plain", "text/csv", "application/zip", DOCX])
def test_other_files_are_saved_under_their_type(content_type: str) -> None:
    headers = serving_headers(content_type, "a.txt")

    assert headers["Content-Type"] == content_type
    assert headers["Content-Disposition"].startswith("attachment; ")


def test_a_file_keeps_its_name_in_the_header() -> None:
    disposition = serving_headers("text/plain", 'relatório "final".txt')["Content-Disposition"]

    assert disposition.isascii()
    assert 'filename="relat_rio -final-.txt"' in disposition
    assert unquote(disposition.partition("filename*=UTF-8''")[2]) == "relatório -final-.txt"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("photo.png", "photo.png"),
        ("relatório final.pdf", "relatório final.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\a.doc", "a.doc"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("///", "file"),
        (".htaccess", "htaccess"),
        ("a\r\nSet-Cookie: b.txt", "aSet-Cookie- b.txt"),
        ("a\x00.png", "a.png"),
        ('a";b.txt', "a--b.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\u200bb.txt", "ab.txt"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("\ud800.txt", "txt"),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
        ("é" * 300 + ".png", "é" * 98 + ".png"),
    ],
)
def test_a_filename_means_nothing_to_paths_headers_or_readers(given: str, expected: str) -> None:
    assert safe_filename(given) == expected


@pytest.mark.parametrize(
    ("make", "content_type"),
    [(png, "image/png"), (jpeg, "image/jpeg"), (gif, "image/gif"), (bmp, "image/bmp"), (webp, "image/webp")],
)
def test_the_size_of_an_image_is_read_from_its_first_bytes(make, content_type: str) -> None:  # pyright: ignore
    assert image_size(make(640, 480), content_type) == (640, 480)


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"])
@pytest.mark.parametrize("length", [0, 1, 4, 9, 12, 16, 20])
def test_a_broken_image_has_no_size(content_type: str, length: int) -> None:
    heads = [make(640, 480)[:length] for make in (png, jpeg, gif, bmp, webp)]

    assert {image_size(head, content_type) for head in heads} <= {None, (640, 480)}


def test_only_images_have_a_size() -> None:
    assert image_size(png(), "application/octet-stream") is None
    assert image_size(b"<svg width='10' height='10'/>", "image/svg+xml") is None
