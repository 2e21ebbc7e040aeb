from __future__ import annotations

import base64
import multiprocessing
import re
import stat
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from criachat.kit import tokens
from criachat.kit.tokens import ACCESS_TOKEN_PREFIXES, BASE62, Keyring, UnknownKey

OLD_SECRET = "the-secret-of-last-year-" + "a" * 20
NEW_SECRET = "the-secret-of-this-year-" + "b" * 20

prefixes = st.sampled_from(ACCESS_TOKEN_PREFIXES)


@given(prefixes)
def test_an_access_token_is_its_prefix_random_characters_and_a_checksum(prefix: str) -> None:
    token = tokens.make_access_token(prefix)

    assert re.fullmatch(re.escape(prefix) + "[0-9A-Za-z]{38}", token)
    assert tokens.is_well_formed(token)
    assert tokens.make_access_token(prefix) != token


def test_an_access_token_has_more_than_190_random_bits() -> None:
    assert len(BASE62) ** tokens.RANDOM_LENGTH > 2**190


def test_a_checksum_is_the_same_in_every_version() -> None:
    assert tokens.is_well_formed("cria_pat_" + "0123456789ABCDEFGHIJKLMNOPQRSTUV" + "3RMs5l")


@given(prefixes, st.data())
def test_any_changed_character_breaks_the_checksum(prefix: str, data: st.DataObject) -> None:
    token = tokens.make_access_token(prefix)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(string.printable + "é٣") | st.characters())

    changed = token[:place] + other + token[place + 1 :]

    assert tokens.is_well_formed(changed) == (changed == token)


@given(prefixes, st.data())
def test_a_missing_or_added_character_breaks_the_checksum(prefix: str, data: st.DataObject) -> None:
    token = tokens.make_access_token(prefix)
    place = data.draw(st.integers(0, len(token) - 1))
    added = data.draw(st.sampled_from(BASE62))

    assert not tokens.is_well_formed(token[:place] + token[place + 1 :])
    assert not tokens.is_well_formed(token[:place] + added + token[place:])


@given(st.text() | st.builds(lambda prefix, rest: prefix + rest, prefixes, st.text()))
def test_invented_tokens_are_not_well_formed(text: str) -> None:
    assert not tokens.is_well_formed(text)


def test_a_token_under_the_prefix_of_another_kind_is_not_well_formed() -> None:
    token = tokens.make_access_token(tokens.PERSON)

    assert not tokens.is_well_formed(token.replace(tokens.PERSON, tokens.SERVICE))


def test_only_known_kinds_of_tokens_are_made() -> None:
    with pytest.raises(ValueError, match="not a prefix"):
        tokens.make_access_token("cria_other_")


def test_random_tokens_have_no_look_alike_characters() -> None:
    token = tokens.random_token(2000)

    assert len(token) == 2000
    assert not set(token) & set("0OIl")
    assert len(tokens.random_token()) == 24


def test_random_secrets_are_32_url_safe_characters() -> None:
    seen = {tokens.random_secret() for _ in range(100)}

    assert len(seen) == 100
    assert all(re.fullmatch("[0-9A-Za-z_-]{32}", secret) for secret in seen)
    assert all(base64.b64decode(base64.b64encode(secret.encode())).decode() == secret for secret in seen)


def test_uuids_are_of_version_4_and_names_of_contacts_read_like_names() -> None:
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", tokens.uuid4())
    assert re.fullmatch("[a-z]+-[a-z]+-[0-9]{1,3}", tokens.contact_name())


def test_identifiers_repeat_themselves_only_while_held_still() -> None:
    def made() -> list[str]:
        return [tokens.uuid4(), tokens.random_token(), tokens.random_secret(), tokens.make_access_token(tokens.BOT)]

    with tokens.held_still(7):
        first = made()
    with tokens.held_still(7):
        again = made()

    assert first == again
    assert made() != first


def test_a_digest_depends_on_the_secret_and_looks_up_under_all_of_them() -> None:
    old = Keyring.from_secrets([OLD_SECRET])
    rotated = Keyring.from_secrets([NEW_SECRET, OLD_SECRET])

    assert old.digest("token") != rotated.digest("token")
    assert rotated.digests("token") == [rotated.digest("token"), old.digest("token")]
    assert len(old.digest("token")) == 32


@given(st.text(), st.text())
def test_what_is_sealed_opens_in_its_context_also_after_the_key_was_rotated(text: str, context: str) -> None:
    sealed = Keyring.from_secrets([OLD_SECRET]).seal(text, context=context)
    rotated = Keyring.from_secrets([NEW_SECRET, OLD_SECRET])

    assert rotated.open(sealed, context=context) == text


def test_what_is_sealed_opens_in_no_other_context() -> None:
    keyring = Keyring.from_secrets([OLD_SECRET])
    sealed = keyring.seal("very secret", context="webhooks.secret:1")

    with pytest.raises(UnknownKey):
        keyring.open(sealed, context="webhooks.secret:2")


def test_what_is_sealed_does_not_open_without_its_key() -> None:
    sealed = Keyring.from_secrets([OLD_SECRET]).seal("very secret", context="here")

    with pytest.raises(UnknownKey):
        Keyring.from_secrets([NEW_SECRET]).open(sealed, context="here")


@given(st.data())
def test_altered_or_cut_bytes_do_not_open(data: st.DataObject) -> None:
    keyring = Keyring.from_secrets([OLD_SECRET])
    sealed = keyring.seal("very secret", context="here")
    place = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[place] ^= data.draw(st.integers(1, 255))

    for wrong in bytes(flipped), sealed[:place]:
        with pytest.raises(UnknownKey):
            keyring.open(wrong, context="here")


def test_sealing_twice_shows_no_likeness() -> None:
    keyring = Keyring.from_secrets([OLD_SECRET])

    assert len({keyring.seal("same", context="here") for _ in range(50)}) == 50


def test_each_purpose_has_keys_of_its_own_the_current_one_first() -> None:
    old = Keyring.from_secrets([OLD_SECRET])
    rotated = Keyring.from_secrets([NEW_SECRET, OLD_SECRET])

    derived = [*rotated.keys_for("files"), *rotated.keys_for("portals"), *rotated.keys_for("seal")]

    assert len(set(derived)) == 6
    assert all(len(key) == 32 for key in derived)
    assert rotated.keys_for("files")[1:] == old.keys_for("files")


def test_a_keyring_shows_fingerprints_and_never_secrets() -> None:
    keyring = Keyring.from_secrets([NEW_SECRET, OLD_SECRET])

    shown = repr(keyring) + str(keyring) + f"{keyring.fingerprints()}"

    assert keyring.fingerprint() in shown
    assert keyring.fingerprints()[1] == Keyring.from_secrets([OLD_SECRET]).fingerprint()
    assert OLD_SECRET not in shown
    assert NEW_SECRET not in shown


def test_an_installation_needs_a_secret_of_some_length() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Keyring.from_secrets([])
    with pytest.raises(ValueError, match="32 characters"):
        Keyring.from_secrets([NEW_SECRET, "short"])


def test_the_installation_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"

    key = tokens.load_or_create_key(path)

    assert tokens.load_or_create_key(path) == key
    assert len(key) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_file_open_to_others_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text(f"{NEW_SECRET}\n{OLD_SECRET}\n")
    path.chmod(0o644)

    text = tokens.load_or_create_key(path)

    assert text.split() == [NEW_SECRET, OLD_SECRET]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_that_start_at_once_read_the_same_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    paths = [tmp_path / str(number) / "secret.key" for number in range(50)]
    for path in paths:
        path.parent.mkdir()

    with context.Pool(4) as pool:
        for path in paths:
            found = pool.map(tokens.load_or_create_key, [path] * 4, chunksize=1)
            assert len(set(found)) == 1
            assert list(path.parent.iterdir()) == [path]
