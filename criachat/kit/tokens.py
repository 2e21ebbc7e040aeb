"""Identifiers and secrets: making them, recognising them, and the keys that protect those we must keep."""

from __future__ import annotations

import hmac
import os
import random
import secrets
import string
import uuid
import zlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PERSON: Final = "cria_pat_"
SERVICE: Final = "cria_svc_"
BOT: Final = "cria_bot_"
PLATFORM: Final = "cria_plat_"
SESSION: Final = "cria_ses_"
ACCESS_TOKEN_PREFIXES: Final = (PERSON, SERVICE, BOT, PLATFORM, SESSION)

BASE62: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
BASE58: Final = "".join(character for character in BASE62 if character not in "0OIl")
URL_SAFE: Final = string.ascii_letters + string.digits + "-_"
HEXADECIMAL: Final = string.digits + "abcdef"

RANDOM_LENGTH: Final = 32
CHECKSUM_LENGTH: Final = 6
SECRET_LENGTH: Final = 32
SPARE_BITS: Final = 64

ADJECTIVES: Final = (
    "amber ancient autumn bold brave bright calm clear cool crimson curious dawn deep early fair falling fresh gentle "
    "golden green hidden icy jolly kind late light little lively lucky mellow misty morning nimble patient polished "
    "proud quick quiet restless rough royal shy silent silver small snowy soft sparkling spring steady still summer "
    "sunny swift tall tidy twilight wandering warm white wild winter wise young"
)
NOUNS: Final = (
    "bird bloom breeze brook bush butterfly canyon cherry cloud coast comet coral cove dew dream dune feather fern "
    "field fire flower fog forest frost garden glade grass harbor hill island lagoon lake lantern leaf meadow moon "
    "morning mountain night ocean orchard paper pebble pine pond rain reef resonance river sea shadow shape sky "
    "smoke snow sound star stone stream sun surf thunder tree valley violet water wave wind"
)

_random: random.Random = secrets.SystemRandom()


@contextmanager
def held_still(seed: int = 0) -> Generator[None]:
    """Make identifiers and secrets repeat themselves, for tests that compare whole bodies. Never keys or nonces."""
    global _random
    before = _random
    _random = random.Random(seed)  # noqa: S311 - predictable on purpose
    try:
        yield
    finally:
        _random = before


def _pick(alphabet: str, length: int) -> str:
    # The system gives randomness at a price for each time it is asked: all letters come out of one large number. With
    # its spare bits, none of them is likelier than another by more than 2⁻⁶⁴.
    number = _random.getrandbits(SPARE_BITS + 6 * length)
    letters: list[str] = []
    for _ in range(length):
        number, place = divmod(number, len(alphabet))
        letters.append(alphabet[place])
    return "".join(letters)


def _checksum(text: str) -> str:
    rest = zlib.crc32(text.encode())
    digits = ""
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(BASE62))
        digits = BASE62[digit] + digits
    return digits


def make_access_token(prefix: str) -> str:
    """A new access token of this kind: the prefix, 190 random bits, and a checksum over both."""
    if prefix not in ACCESS_TOKEN_PREFIXES:
        raise ValueError(f"{prefix!r} is not a prefix of access tokens")
    text = prefix + _pick(BASE62, RANDOM_LENGTH)
    return text + _checksum(text)


def derived_access_token(prefix: str, secret: str, purpose: str) -> str:
    """An access token that follows from a secret, and from which the secret does not follow."""
    number = int.from_bytes(hmac.digest(secret.encode(), purpose.encode(), "sha256"))
    text = prefix
    for _ in range(RANDOM_LENGTH):
        number, place = divmod(number, len(BASE62))
        text += BASE62[place]
    return text + _checksum(text)


def is_well_formed(token: str) -> bool:
    """Whether this could be one of our access tokens; a token that is mistyped, cut or invented costs no query."""
    prefix = token[: token.rfind("_") + 1]
    if prefix not in ACCESS_TOKEN_PREFIXES or len(token) != len(prefix) + RANDOM_LENGTH + CHECKSUM_LENGTH:
        return False
    # Letters and digits of other scripts are alphanumeric too, hence both questions.
    if not (token.isascii() and token[len(prefix) :].isalnum()):
        return False
    return token[-CHECKSUM_LENGTH:] == _checksum(token[:-CHECKSUM_LENGTH])


def random_token(length: int = 24) -> str:
    """An identifier nobody guesses, without look-alike characters: pubsub tokens, inbox identifiers, website tokens."""
    return _pick(BASE58, length)


def request_id() -> str:
    """The name of one request, in its answer and in the logs: 20 hexadecimal digits, no two alike, and no secret."""
    return os.urandom(10).hex()


def random_secret() -> str:
    """A shared secret of 32 URL-safe characters, for signatures of webhooks and of identities."""
    return _pick(URL_SAFE, SECRET_LENGTH)


def session_secret() -> str:
    """What a browser or phone carries after signing in, 132 random bits in 22 URL-safe characters; or its name."""
    return _pick(URL_SAFE, 22)


def one_time_token() -> str:
    """256 random bits as 64 hexadecimal digits, for links that are good once."""
    return _pick(HEXADECIMAL, 64)


def uuid4() -> str:
    """A random UUID as text."""
    return str(uuid.UUID(int=_random.getrandbits(128), version=4))


def contact_name() -> str:
    """A name for a contact who has not told us theirs, such as `silent-river-417`."""
    return f"{_random.choice(ADJECTIVES.split())}-{_random.choice(NOUNS.split())}-{_random.randint(1, 999)}"


class UnknownKey(Exception):
    """What was sealed cannot be opened: another key, another context, or altered bytes."""


SEAL_VERSION: Final = 1
SEAL_HEADER: Final = 5
SEAL_RANDOM: Final = 24
SHORTEST_SECRET: Final = 32
KEY_LENGTH: Final = 32


class _Key:
    """What one installation secret is turned into; the secret itself is used for nothing else."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.for_digests = self.derive("access token digest")
        self.for_seals = self.derive("seal")
        self.fingerprint = self.derive("fingerprint").hex()[:32]
        self.id = bytes.fromhex(self.fingerprint)[: SEAL_HEADER - 1]

    def derive(self, purpose: str) -> bytes:
        info = f"criachat {purpose}".encode()
        return HKDF(algorithm=SHA256(), length=KEY_LENGTH, salt=None, info=info).derive(self._secret)

    def cipher(self, chance: bytes) -> tuple[AESGCM, bytes]:
        """A cipher of its own for each seal, so that the number of seals one installation may make has no limit."""
        half = SEAL_RANDOM // 2
        return AESGCM(hmac.digest(self.for_seals, chance[:half], "sha256")), chance[half:]


class Keyring:
    """The installation's secrets, newest first: what is written uses the first, what is read may use any."""

    def __init__(self, keys: Sequence[_Key]) -> None:
        self._keys = tuple(keys)

    @classmethod
    def from_secrets(cls, installation_secrets: Sequence[str]) -> Keyring:
        """The keyring of these secrets, the current one first, then older ones still needed for reading."""
        distinct = list(dict.fromkeys(secret.strip() for secret in installation_secrets))
        if not distinct:
            raise ValueError("an installation needs at least one secret key")
        if any(len(secret) < SHORTEST_SECRET for secret in distinct):
            raise ValueError(f"a secret key has {SHORTEST_SECRET} characters or more")
        return cls([_Key(secret) for secret in distinct])

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self.fingerprints())})"

    def digest(self, token: str) -> bytes:
        """What is stored in place of a token, and cannot be turned back into it."""
        return hmac.digest(self._keys[0].for_digests, token.encode(), "sha256")

    def digests(self, token: str) -> list[bytes]:
        """Every form under which this token may be stored: look for any of them while keys rotate."""
        text = token.encode()
        return [hmac.digest(key.for_digests, text, "sha256") for key in self._keys]

    def seal(self, text: str, *, context: str) -> bytes:
        """Encrypt what must be read again; `context` names the place it belongs to, such as `webhooks.secret:17`.

        A sealed text copied to another row does not open there.
        """
        key = self._keys[0]
        chance = os.urandom(SEAL_RANDOM)
        cipher, nonce = key.cipher(chance)
        return bytes([SEAL_VERSION]) + key.id + chance + cipher.encrypt(nonce, text.encode(), context.encode())

    def open(self, sealed: bytes, *, context: str) -> str:
        """The text that was sealed for this context, under the current key or an older one."""
        chance = sealed[SEAL_HEADER : SEAL_HEADER + SEAL_RANDOM]
        if sealed[:1] != bytes([SEAL_VERSION]) or len(chance) != SEAL_RANDOM:
            raise UnknownKey
        # The id is a hint that saves the wrong keys; the tag of the cipher decides.
        for key in self._keys:
            if key.id != sealed[1:SEAL_HEADER]:
                continue
            cipher, nonce = key.cipher(chance)
            with suppress(InvalidTag):
                return cipher.decrypt(nonce, sealed[SEAL_HEADER + SEAL_RANDOM :], context.encode()).decode()
        raise UnknownKey

    def keys_for(self, purpose: str) -> tuple[bytes, ...]:
        """32 bytes under each secret, the current one first, for one purpose such as signing the addresses of files."""
        return tuple(key.derive(f"purpose {purpose}") for key in self._keys)

    def fingerprint(self) -> str:
        """Names the current secret without giving it away: safe to store, to compare at start-up, to log."""
        return self._keys[0].fingerprint

    def fingerprints(self) -> list[str]:
        """The fingerprints of all secrets, the current one first."""
        return [key.fingerprint for key in self._keys]


def load_or_create_key(path: Path) -> str:
    """The installation's secret key kept in this file, made on first use; of two processes at once, one makes it.

    The file may hold several keys, one a line, the current one first: split the text before building a keyring.
    """
    if not path.exists():
        _create_key(path)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return path.read_text().strip()


def _create_key(path: Path) -> None:
    # Written beside, then linked: a link to a name that exists fails, and whoever finds the name finds a whole key.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(KEY_LENGTH) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
