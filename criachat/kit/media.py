"""What a file is, judged by its bytes, and what a browser may be allowed to do with it."""

from __future__ import annotations

import io
import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final, Literal
from urllib.parse import quote

import filetype  # pyright: ignore[reportMissingTypeStubs]
import imagesize  # pyright: ignore[reportMissingTypeStubs]

FileType = Literal["image", "audio", "video", "file"]

SNIFFED_BYTES: Final = 8192
MAX_FILENAME_BYTES: Final = 200
UNKNOWN: Final = "application/octet-stream"

OFFICE: Final = "application/vnd.openxmlformats-officedocument."
BY_EXTENSION: Final = {
    ".txt": "text/plain",
    ".log": "text/plain",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".md": "text/markdown",
    ".ics": "text/calendar",
    ".vcf": "text/vcard",
    ".json": "application/json",
    ".xml": "application/xml",
    ".eml": "message/rfc822",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
    ".msg": "application/vnd.ms-outlook",
    ".docx": OFFICE + "wordprocessingml.document",
    ".xlsx": OFFICE + "spreadsheetml.sheet",
    ".pptx": OFFICE + "presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".epub": "application/epub+zip",
    ".p7s": "application/pkcs7-signature",
    ".p12": "application/x-pkcs12",
    ".pfx": "application/x-pkcs12",
}
# The bytes tell the container, not what is in it: a recording of a voice is declared audio/webm and looks like video.
OGG: Final = frozenset(("audio/ogg", "video/ogg", "application/ogg", "audio/opus"))
MATROSKA: Final = frozenset(("video/webm", "audio/webm", "video/x-matroska", "audio/x-matroska"))
MPEG_4: Final = frozenset(
    ("video/mp4", "audio/mp4", "audio/x-m4a", "video/quicktime", "video/3gpp", "audio/3gpp", "video/3gpp2")
)
ZIP: Final = frozenset(
    (
        "application/zip",
        "application/epub+zip",
        "application/vnd.apple.pkpass",
        "application/java-archive",
        *(name for name in BY_EXTENSION.values() if "officedocument" in name or "opendocument" in name),
    )
)
OLE: Final = frozenset(
    ("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook")
)
CONTAINERS: Final = (OGG, MATROSKA, MPEG_4, ZIP, OLE)

# Nothing in the bytes tells these, and no browser does more with them than show text or save a file.
HARMLESS_TEXTS: Final = frozenset(
    (
        "text/plain",
        "text/csv",
        "text/tab-separated-values",
        "text/markdown",
        "text/calendar",
        "text/vcard",
        "text/x-vcard",
        "application/json",
        "application/x-ndjson",
        "message/rfc822",
    )
)
HARMLESS_BINARIES: Final = frozenset(
    ("application/pkcs7-signature", "application/x-pkcs12", "application/ms-tnef", "audio/basic", "audio/l16")
)
# One name for what has several.
SAME_AS: Final = {
    "image/apng": "image/png",
    "image/jpg": "image/jpeg",
    "image/x-ms-bmp": "image/bmp",
    "video/x-m4v": "video/mp4",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
    "audio/mp3": "audio/mpeg",
    "application/x-rar-compressed": "application/vnd.rar",
    "text/rtf": "application/rtf",
    "text/xml": "application/xml",
}

IMAGES: Final = frozenset(("image/jpeg", "image/png", "image/gif", "image/bmp", "image/webp"))
VIDEOS: Final = frozenset(("video/ogg", "video/mp4", "video/webm", "video/quicktime"))
INLINE: Final = IMAGES | {"image/avif", "application/pdf"}
# What visitors of a website are sent, beside pictures, sounds and films.
FOR_VISITORS: Final = frozenset(
    (
        "text/csv",
        "text/plain",
        "application/json",
        "application/pdf",
        "application/zip",
        "application/x-7z-compressed",
        "application/vnd.rar",
        "application/x-tar",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/rtf",
        "application/vnd.oasis.opendocument.text",
        OFFICE + "wordprocessingml.document",
        OFFICE + "spreadsheetml.sheet",
        OFFICE + "presentationml.presentation",
    )
)
# Markup runs scripts when a browser opens it, so it goes out under a name that no browser opens.
RUNS_SCRIPTS: Final = re.compile(r"html|xml|script|shockwave|wasm|multipart|rfc822", re.IGNORECASE)

CONTENT_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
BYTE_ORDER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
NEVER_IN_A_FILENAME: Final = re.compile(r'[/\\:*?"<>|%;\x00-\x1f\x7f]')


def sniff(head: bytes, declared: str, filename: str) -> str:
    """The content type of a file that starts with these bytes.

    What the bytes say counts. The declared type and the extension only choose among types that look alike, and
    only harmless ones; an image that turns out to be a page is a page.
    """
    head = head[:SNIFFED_BYTES]
    claims = [_plain_type(declared), BY_EXTENSION.get(extension(filename), "")]
    if not head:
        return UNKNOWN
    if head.startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(b"{\\rtf"):
        return "application/rtf"
    if _is_text(head):
        return _sniff_text(head, claims)
    return _sniff_binary(head, claims)


def file_type(content_type: str) -> FileType:
    """The kind of attachment that a file of this type is."""
    plain = _plain_type(content_type)
    if plain in IMAGES:
        return "image"
    if plain in VIDEOS:
        return "video"
    return "audio" if "audio/" in plain else "file"


def is_for_visitors(content_type: str) -> bool:
    """Whether visitors of a website may be sent such a file."""
    plain = _plain_type(content_type)
    return plain in FOR_VISITORS or plain.startswith(("image/", "video/", "audio/"))


def is_inline(content_type: str) -> bool:
    """Whether a browser may show this itself instead of saving it."""
    plain = _plain_type(content_type)
    return plain in INLINE or plain.startswith(("audio/", "video/"))


def image_size(head: bytes, content_type: str) -> tuple[int, int] | None:
    """Width and height as shown (turned as the camera was), read from the first bytes of the image."""
    if _plain_type(content_type) not in IMAGES:
        return None
    try:
        width, height = imagesize.get(io.BytesIO(head))  # pyright: ignore[reportUnknownMemberType]
    except (ValueError, OSError, IndexError):
        return None
    return (int(width), int(height)) if width > 0 and height > 0 else None


def safe_filename(filename: str) -> str:
    """The name a visitor gave, without anything that means something to a path, a header or the eye of a reader."""
    name = unicodedata.normalize("NFC", filename.encode("utf-8", "ignore").decode())
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    # Format characters can turn the reading direction around, so that a program looks like a picture.
    name = "".join(character for character in name if unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp"))
    name = NEVER_IN_A_FILENAME.sub("-", name).strip(" .")
    if not name:
        return "file"
    ending = PurePosixPath(name).suffix
    ending = ending if len(ending.encode()) <= 20 else ""
    stem = name.removesuffix(ending).encode()[: MAX_FILENAME_BYTES - len(ending.encode())]
    return stem.decode("utf-8", "ignore") + ending


def extension(filename: str) -> str:
    """The extension in lower case with its dot, empty when it is unusual."""
    ending = PurePosixPath(safe_filename(filename)).suffix.lower()
    return ending if re.fullmatch(r"\.[a-z0-9]{1,8}", ending) else ""


def serving_headers(content_type: str, filename: str) -> dict[str, str]:
    """The headers under which a stored file may be given to any browser."""
    plain = _plain_type(content_type)
    name = safe_filename(filename)
    disposition = "inline" if is_inline(plain) else "attachment"
    ascii_name = name.encode("ascii", "replace").decode().replace("?", "_")
    headers = {
        "Content-Type": UNKNOWN if not plain or RUNS_SCRIPTS.search(plain.replace("openxml", "")) else plain,
        "Content-Disposition": f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    if plain != "application/pdf":
        # The viewers of PDF in browsers do not start inside a sandbox.
        headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return headers


def _plain_type(content_type: str) -> str:
    plain = content_type.partition(";")[0].strip().lower()
    return SAME_AS.get(plain, plain) if CONTENT_TYPE.fullmatch(plain) else ""


def _is_text(head: bytes) -> bool:
    # Not only UTF-8: what spreadsheets export is often in an older encoding.
    return head.startswith(BYTE_ORDER_MARKS) or not BINARY.search(head)


def _sniff_text(head: bytes, claims: list[str]) -> str:
    encoding = "utf-16" if head.startswith(BYTE_ORDER_MARKS) else "utf-8"
    text = head.decode(encoding, "replace").lstrip("\ufeff \t\r\n\f").lower()
    if text.startswith("<"):
        return _sniff_markup(text, claims)
    return next((claim for claim in claims if claim in HARMLESS_TEXTS), "text/plain")


def _sniff_markup(text: str, claims: list[str]) -> str:
    if "<svg" in text:
        return "image/svg+xml"
    if "<html" in text or "<script" in text:
        return "text/html"
    return "application/xml" if text.startswith("<?xml") or "application/xml" in claims else "text/html"


def _sniff_binary(head: bytes, claims: list[str]) -> str:
    guessed: str | None = filetype.guess_mime(head)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    found = _plain_type(guessed or _container(head))
    for container in CONTAINERS:
        if found in container:
            return next((claim for claim in claims if claim in container), found)
    return found or next((claim for claim in claims if claim in HARMLESS_BINARIES), UNKNOWN)


def _container(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm"
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "application/msword"
    return ""
