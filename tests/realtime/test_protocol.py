from __future__ import annotations

import json

import pytest

from criachat.realtime import protocol

AS_SENT = '{"pubsub_token":"aB3\\u0065", "channel":"RoomChannel","user_id":7 , "account_id":"3"}'


def test_an_identifier_is_echoed_as_it_was_sent() -> None:
    frames = [protocol.confirmation(AS_SENT), protocol.rejection(AS_SENT), protocol.data_prefix(AS_SENT) + "{}}"]

    assert [json.loads(frame)["identifier"] for frame in frames] == [AS_SENT] * 3


def test_ids_may_be_numbers_or_their_digits() -> None:
    identifier = protocol.read_identifier(AS_SENT)

    assert identifier is not None
    assert identifier.is_agent
    assert (protocol.read_id(identifier.account_id), protocol.read_id(identifier.user_id)) == (3, 7)


@pytest.mark.parametrize("user_id", ["null", '""', '" "'])
def test_without_a_user_id_it_is_a_contact(user_id: str) -> None:
    text = f'{{"channel":"RoomChannel","pubsub_token":"aB3","user_id":{user_id}}}'

    identifier = protocol.read_identifier(text)

    assert identifier is not None
    assert not identifier.is_agent


@pytest.mark.parametrize(
    "text",
    [
        "",
        "RoomChannel",
        "[]",
        '{"channel":"OtherChannel","pubsub_token":"aB3"}',
        '{"channel":"RoomChannel"}',
        '{"channel":"RoomChannel","pubsub_token":5}',
        '{"channel":"RoomChannel","pubsub_token":"aB3","user_id":{}}',
        '{"channel":"RoomChannel","pubsub_token":"' + "a" * 5000 + '"}',
        "[" * 100_000,
    ],
)
def test_what_names_no_channel_of_ours_is_no_identifier(text: str) -> None:
    assert protocol.read_identifier(text) is None


@pytest.mark.parametrize("value", [None, "", "-1", "7.5", "seven", "\u0667", str(2**63), "1" * 50])
def test_what_cannot_be_an_id_is_none(value: str | None) -> None:
    assert protocol.read_id(value) is None


@pytest.mark.parametrize(
    "text", ["", "hello", "[1]", '"subscribe"', '{"command":5}', "{}", '{"command":"x","data":{}}']
)
def test_what_is_no_command_is_none(text: str) -> None:
    assert protocol.read_command(text) is None


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["actioncable-v1-json", "actioncable-unsupported"], "actioncable-v1-json"),
        (["chat", "actioncable-v1-json"], "actioncable-v1-json"),
        (["actioncable-unsupported"], "actioncable-unsupported"),
        (["chat"], None),
        ([], None),
    ],
)
def test_the_subprotocol_is_the_best_of_those_offered(offered: list[str], chosen: str | None) -> None:
    assert protocol.choose_subprotocol(offered) == chosen


def test_frames_of_the_server_are_json_of_the_contract() -> None:
    frames = [
        protocol.WELCOME,
        protocol.ping(1772460584),
        protocol.disconnection("server_restart", reconnect=True),
        protocol.disconnection("invalid_request", reconnect=False),
    ]

    assert [json.loads(frame) for frame in frames] == [
        {"type": "welcome"},
        {"type": "ping", "message": 1772460584},
        {"type": "disconnect", "reason": "server_restart", "reconnect": True},
        {"type": "disconnect", "reason": "invalid_request", "reconnect": False},
    ]
