"""One request as it came: method, path, headers, body, and its parameters in one bag."""

from __future__ import annotations

import re
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from criachat.kit.actors import Actor
from criachat.kit.errors import Malformed, TooLarge, Unauthenticated
from criachat.kit.http.uploads import Upload

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAXIMUM_DEPTH = 64
MAXIMUM_BODY_BYTES = 8 * 1024 * 1024
MAXIMUM_FIELDS = 1000
MAXIMUM_FILES = 40
LONGEST_LENGTH = 18
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
# Few clients send a body with a GET, and those that do ask with it; what else comes with one says nothing.
ASKED_WITH = (JSON, FORM)
# Bodies of these kinds are a file as it is, where an endpoint takes one: `curl --data-binary @history.ndjson`.
FILES = frozenset(("application/x-ndjson", "application/ndjson", "application/jsonl", "text/csv"))
MOST_IN_MEMORY_BYTES = 1024 * 1024

_decode_json = msgspec.json.Decoder().decode


class _StrictParser(MultiPartParser):
    """Refuses text that is not UTF-8, where its parent reads it as Latin-1, and a body that breaks off, where its
    parent gives what came before as if it were all."""

    has_ended = False

    def on_end(self) -> None:
        self.has_ended = True

    def close_files(self) -> None:
        """Let go of what was read before it broke off."""
        for file in self._files_to_close_on_error:
            file.close()

    def on_part_end(self) -> None:
        if self._current_part.file is None:
            self._current_part.data.decode()
        super().on_part_end()


class Request:
    """What came in. The body is read once, bounded, and only when an endpoint was found."""

    __slots__ = (
        "_receive",
        "_uploads",
        "asked",
        "body",
        "found",
        "headers",
        "is_form",
        "method",
        "path",
        "query",
        "scope",
        "told",
    )

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self._receive = receive
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.query: bytes = scope["query_string"]
        self.body = b""
        self.is_form = False
        self._uploads: list[Upload] = []
        # What was come across while the caller was looked for, and need not be looked for again.
        self.found: object = None
        # Headers of the answer, should it be a good one.
        self.told: tuple[tuple[str, str], ...] = ()
        # Who knows the caller, and what they were asked: for this endpoint, with this path.
        self.asked: tuple[Callable[..., Awaitable[Actor]], object, Mapping[str, str]] | None = None

    @property
    def peer(self) -> str:
        """The address the connection came from."""
        client = self.scope.get("client")
        return client[0] if client else "127.0.0.1"

    async def caller_now(self) -> Actor:
        """Find out anew who is asking: for answers that may last longer than a token."""
        if self.asked is None:
            raise Unauthenticated
        resolve, endpoint, path = self.asked
        return await resolve(self, endpoint, path)

    async def left(self) -> None:
        """Wait until the client hangs up, or has its answer."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    @property
    def is_write(self) -> bool:
        """Whether it may change something."""
        return self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def _says_it_has_no_body(self) -> bool:
        return "transfer-encoding" not in self.headers and self.headers.get("content-length", "0") == "0"

    async def parameters(self, *, maximum_request_bytes: int, files: Collection[str] = ()) -> dict[str, Any]:
        """Query string and body in one bag; the body wins. Files in other fields than these are passed over."""
        bag = nested(_pairs(self.query)) if self.query else {}
        if not self.is_write and self._says_it_has_no_body:
            return bag
        kind = self.headers.get("content-type", "").split(";", 1)[0].strip().lower()
        if not self.is_write and kind not in ASKED_WITH:
            return bag
        if kind == "multipart/form-data":
            self.is_form = True
            bag.update(await self._multipart(maximum_request_bytes, files))
            return bag
        if kind in FILES and len(files) == 1:
            bag.update(await self._file(maximum_request_bytes, next(iter(files))))
            return bag
        self.body = b"".join([chunk async for chunk in self.content(MAXIMUM_BODY_BYTES)])
        if not self.body:
            return bag
        # What curl sends is called a form unless it is told otherwise; no form begins with a brace.
        if kind == FORM and not self.body.lstrip().startswith(b"{"):
            self.is_form = True
            bag.update(nested(_pairs(self.body)))
        else:
            value = parse_json(self.body)
            bag.update(cast(dict[str, Any], value) if isinstance(value, dict) else {"_json": value})
        return bag

    async def _multipart(self, maximum_bytes: int, files: Collection[str]) -> dict[str, Any]:
        parser = _StrictParser(
            Headers(raw=self.scope["headers"]),
            self.content(maximum_bytes),
            max_files=MAXIMUM_FILES,
            max_fields=MAXIMUM_FIELDS,
            max_part_size=MAXIMUM_BODY_BYTES,
        )
        try:
            form = await parser.parse()
        except (MultiPartException, LookupError, ValueError) as failure:
            raise Malformed("the multipart body cannot be read") from failure
        if not parser.has_ended:
            parser.close_files()
            raise Malformed("the multipart body broke off")
        return nested(self._fields(form, files))

    async def _file(self, maximum_bytes: int, name: str) -> dict[str, Upload]:
        """The whole body as the one file an endpoint takes."""
        spooled = tempfile.SpooledTemporaryFile(max_size=MOST_IN_MEMORY_BYTES)  # noqa: SIM115 - closed with the request
        file = UploadFile(cast(BinaryIO, spooled), size=0, filename=name, headers=Headers(raw=self.scope["headers"]))
        self._uploads.append(Upload(file))
        async for chunk in self.content(maximum_bytes):
            await file.write(chunk)
        return {name: Upload(file)} if file.size else {}

    async def content(self, maximum_bytes: int) -> AsyncGenerator[bytes, None]:
        """The body as it arrives; refused before it is read when it says itself that it is too large."""
        declared = self.headers.get("content-length", "")
        if len(declared) > LONGEST_LENGTH or (declared.isdecimal() and int(declared) > maximum_bytes):
            raise TooLarge
        size = 0
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                raise Malformed("the body broke off")
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > maximum_bytes:
                raise TooLarge
            yield chunk
            if not message.get("more_body", False):
                return

    def _fields(self, form: FormData, accepted: Collection[str]) -> list[tuple[str, Any]]:
        fields: list[tuple[str, Any]] = []
        for name, value in form.multi_items():
            if isinstance(value, str):
                _refuse_nul(value)
                fields.append((name, value))
            else:
                upload = Upload(value)
                self._uploads.append(upload)
                # A page sends a part without a name for a field in which no file was chosen.
                if value.filename and name.removesuffix("[]") in accepted:
                    fields.append((name, upload))
        return fields

    def close(self) -> None:
        """Let go of temporary files."""
        for upload in self._uploads:
            upload.close()


def parse_json(body: bytes) -> Any:
    """A JSON body; refuses invalid UTF-8, NUL characters and nesting past 64."""
    if body.count(b"[") + body.count(b"{") > MAXIMUM_DEPTH and _depth(body) > MAXIMUM_DEPTH:
        raise Malformed("JSON is nested too deeply")
    try:
        value = _decode_json(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError) as failure:
        raise Malformed("JSON cannot be read") from failure
    if b"\\u" in body or b"\x00" in body:
        _refuse_unstorable(value)
    return value


_OUTSIDE_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def _depth(body: bytes) -> int:
    """How deeply it nests, brackets inside strings left out."""
    depth = deepest = 0
    for byte in _OUTSIDE_STRINGS.sub(b"", body):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _refuse_unstorable(value: Any) -> None:
    if isinstance(value, str):
        _refuse_nul(value)
    elif isinstance(value, dict):
        for key, inner in cast(dict[str, Any], value).items():
            _refuse_nul(key)
            _refuse_unstorable(inner)
    elif isinstance(value, list):
        for inner in cast(list[Any], value):
            _refuse_unstorable(inner)


def _refuse_nul(text: str) -> None:
    if "\x00" in text:
        raise Malformed("NUL characters cannot be stored")
    try:
        text.encode()
    except UnicodeEncodeError as failure:
        raise Malformed("text is not valid Unicode") from failure


def _pairs(encoded: bytes) -> list[tuple[str, str]]:
    try:
        # Decoded before it is split: many clients send letters of other scripts as they are, without percent signs.
        pairs = parse_qsl(encoded.decode(), keep_blank_values=True, max_num_fields=MAXIMUM_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError) as failure:
        raise Malformed("the parameters cannot be read") from failure
    for key, value in pairs:
        _refuse_nul(key)
        _refuse_nul(value)
    return pairs


def nested(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Bracket notation to nested values: `a[]=1&b[c]=2` becomes `{"a": ["1"], "b": {"c": "2"}}`."""
    bag: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[") if "[" in name else (name,)
        if len(rest) > MAXIMUM_DEPTH:
            raise Malformed("parameters are nested too deeply")
        _put(bag, [head, *rest], value)
    return bag


def _put(bag: dict[str, Any], keys: list[str], value: Any) -> None:
    """Follow the keys into the bag; where two pairs disagree about the shape, the later one wins."""
    place: Any = bag
    for at, key in enumerate(keys[:-1]):
        wants_list = keys[at + 1] == ""
        fresh: Any = [] if wants_list else {}
        if isinstance(place, list):
            place = _last_or_new(cast(list[Any], place), keys[at + 1], fresh)
            continue
        if not isinstance(place.get(key), type(fresh)):
            place[key] = fresh
        place = place[key]
    if isinstance(place, list):
        cast(list[Any], place).append(value)
    else:
        place[keys[-1]] = value


def _last_or_new(place: list[Any], next_key: str, fresh: Any) -> Any:
    """The element that `items[][title]` speaks of: a new one once the key repeats."""
    last: Any = place[-1] if place else None
    if isinstance(fresh, dict) and isinstance(last, dict) and next_key not in last:
        return cast(Any, last)
    place.append(fresh)
    return cast(Any, fresh)
