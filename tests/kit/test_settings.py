"""What an operator may say in the environment, and how they are told what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from criachat.kit.settings import SettingInvalid, Settings, read_settings


def test_texts_of_the_environment_become_what_they_stand_for() -> None:
    settings = read_settings(
        {
            "CRIACHAT_PORT": "8080",
            "CRIACHAT_DATA_DIR": "/srv/criachat",
            "CRIACHAT_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
            "CRIACHAT_RATE_LIMITS": "false",
            "CRIACHAT_METRICS_TOKEN": " ",
        }
    )

    assert settings == Settings(
        port=8080,
        data_dir=Path("/srv/criachat"),
        trusted_proxies=("10.0.0.0/8", "192.0.2.1"),
        rate_limits=False,
    )


def test_what_the_command_line_chose_wins() -> None:
    assert read_settings({"CRIACHAT_PORT": "8080"}, port=0, host=None) == Settings(port=0)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("PORT", "70000", "<= 65535"),
        ("BASE_URL", "chat.example", "'chat.example'"),
        ("SMTP_URL", "mail.example", "smtp://user:password@mail.example:587"),
        ("SMTP_URL", "smtp://ana:se/cret@mail.example", "smtp://user:password@mail.example:587"),
        ("MAIL_FROM", "nobody", "'nobody'"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,the-proxy", "'the-proxy'"),
        ("ALLOWED_PRIVATE_HOSTS", "10.0.0.0/99", "'10.0.0.0/99'"),
        ("CHANGED_LIMITS", "token", "'token'"),
        ("CHANGED_LIMITS", "token=many", "'token=many'"),
        ("CHANGED_LIMITS", "tokens=5", "no such limit: tokens"),
        ("CHANGED_LIMITS", "=5", "no such limit"),
    ],
)
def test_what_cannot_be_used_is_named_before_anything_starts(name: str, text: str, reason: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        read_settings({f"CRIACHAT_{name}": text})

    assert str(refused.value).startswith(f"CRIACHAT_{name} is not usable: ")
    assert reason in str(refused.value)
