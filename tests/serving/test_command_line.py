"""What operators see of CriaChat."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import httpx
import psutil
import pytest
from commands import Started, criachat, started

CHECKS = ("settings", "database", "migrations", "key", "clock", "neighbours", "relay", "jobs", "files")


async def test_the_first_start_shows_how_to_get_in(first_start: Started) -> None:
    profile = await first_start.get("/api/v1/profile", first_start.token)

    assert first_start.address in first_start.out
    assert profile.json()["email"] == "admin@example.com"
    assert profile.json()["role"] == "administrator"
    assert len(first_start.password) >= 16


async def test_the_key_and_the_data_are_for_their_owner_alone(first_start: Started) -> None:
    assert (first_start.data_dir / "installation.key").stat().st_mode & 0o777 == 0o600
    assert first_start.data_dir.stat().st_mode & 0o022 == 0


async def test_nothing_secret_is_logged_on_the_first_start(first_start: Started) -> None:
    said = str(first_start.said)

    assert first_start.token not in said
    assert first_start.password not in said
    assert (first_start.data_dir / "installation.key").read_text().strip() not in said


async def test_a_second_start_shows_no_secret_and_knows_everything(data_dir: Path) -> None:
    async with started(data_dir) as first:
        token = first.token
        assert await first.stop() == 0

    async with started(data_dir) as second:
        profile = await second.get("/api/v1/profile", token)

        assert second.out == ""
        assert profile.status_code == 200


async def test_the_api_describes_itself(first_start: Started) -> None:
    described = (await first_start.get("/openapi.json")).json()
    page = await first_start.get("/docs")

    assert described["openapi"] == "3.1.0"
    assert "/api/v1/profile" in described["paths"]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "/api/v1/profile" in page.text


async def test_a_token_is_all_that_its_command_prints(first_start: Started) -> None:
    made = await criachat("token", "create", "--email", "admin@example.com", "--data-dir", str(first_start.data_dir))

    token = made.out.removesuffix("\n")
    assert made.status == 0
    assert "\n" not in token
    assert token not in made.err
    assert (await first_start.get("/api/v1/profile", token)).status_code == 200


async def test_a_token_with_scopes_reaches_just_those(first_start: Started) -> None:
    words = ("--email", "admin@example.com", "--scope", "labels:read", "--data-dir", str(first_start.data_dir))

    token = (await criachat("token", "create", *words)).out.strip()

    assert token.startswith("cria_svc_")
    assert (await first_start.get("/api/v1/accounts/1/labels", token)).status_code == 200
    assert (await first_start.get("/api/v1/accounts/1/contacts", token)).status_code == 401


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--email", "nobody@example.com"), "Nobody has the e-mail address nobody@example.com."),
        (("--email", "admin@example.com", "--scope", "everything:read"), "There is no scope everything:read."),
    ],
)
async def test_a_token_for_nobody_or_nothing_is_refused(
    first_start: Started, words: tuple[str, ...], sentence: str
) -> None:
    made = await criachat("token", "create", *words, "--data-dir", str(first_start.data_dir))

    assert made.status == 1
    assert made.out == ""
    assert made.err.startswith(f"criachat: {sentence}")


async def test_a_token_for_somebody_who_has_yet_to_come_is_refused(first_start: Started) -> None:
    async with httpx.AsyncClient(base_url=first_start.address, headers={"api_access_token": first_start.token}) as api:
        invited = await api.post("/api/v1/accounts/1/agents", json={"name": "Davi", "email": "davi@example.com"})
    assert invited.status_code == 200

    made = await criachat("token", "create", "--email", "davi@example.com", "--data-dir", str(first_start.data_dir))

    assert (made.status, made.out) == (1, "")
    assert made.err.startswith("criachat: davi@example.com has not followed the invitation yet")


async def test_an_account_is_opened_with_somebody_who_administers_it(first_start: Started) -> None:
    where = ("--data-dir", str(first_start.data_dir))
    email = "ana@lojaazul.example"

    opened = await criachat("account", "create", "--name", "Loja Azul", "--email", email, *where)
    token = (await criachat("token", "create", "--email", email, *where)).out.strip()
    profile = (await first_start.get("/api/v1/profile", token)).json()
    again = await criachat("account", "create", "--name", "Loja Verde", "--email", email, *where)

    assert opened.status == 0
    assert len(opened.out.strip()) >= 16
    assert [(each["name"], each["role"]) for each in profile["accounts"]] == [("Loja Azul", "administrator")]
    assert (again.status, again.out) == (0, "")


async def test_a_weak_password_opens_no_account(first_start: Started) -> None:
    words = ("--name", "Loja", "--email", "bia@loja.example", "--password", "12345")

    opened = await criachat("account", "create", *words, "--data-dir", str(first_start.data_dir))
    token = await criachat("token", "create", "--email", "bia@loja.example", "--data-dir", str(first_start.data_dir))

    assert (opened.status, opened.out) == (1, "")
    assert token.status == 1


async def test_a_platform_app_gets_a_token_of_its_own_kind(first_start: Started) -> None:
    made = await criachat("platform-app", "create", "Provisioning", "--data-dir", str(first_start.data_dir))

    assert made.status == 0
    assert made.out.startswith("cria_plat_")
    assert made.out.count("\n") == 1


async def test_the_doctor_finds_nothing_wrong(first_start: Started) -> None:
    examined = await criachat("doctor", "--data-dir", str(first_start.data_dir))

    lines = examined.out.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in CHECKS]
    assert examined.status == 0


async def test_the_doctor_names_what_is_wrong_and_what_to_do(spoilt_data_dir: Path) -> None:
    examined = await criachat("doctor", "--data-dir", str(spoilt_data_dir))

    assert examined.status == 1
    assert "BAD  migrations" in examined.out
    assert "`criachat migrate`" in examined.out
    assert "BAD  files" in examined.out


async def test_a_port_that_is_taken_is_told_with_a_way_out(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = await criachat("serve", "--port", str(port), "--data-dir", str(data_dir))

    assert refused.status == 1
    assert f"Port {port} of 127.0.0.1 is taken by another program." in refused.err
    assert refused.out == ""


async def test_a_setting_that_cannot_be_used_is_named() -> None:
    refused = await criachat("serve", port="many")

    assert refused.status == 2
    assert refused.err.startswith("criachat: CRIACHAT_PORT is not usable:")


async def test_a_setting_that_names_none_of_a_few_things_is_told_which_there_are() -> None:
    refused = await criachat("serve", log_level="loud")

    assert refused.status == 1
    assert refused.err.startswith("criachat: CRIACHAT_LOG_LEVEL is not usable:")
    assert refused.err.count("\n") == 1


async def test_an_existing_database_needs_the_key_to_be_given() -> None:
    refused = await criachat("serve", "--port", "0", database_url="postgresql://nobody@127.0.0.1:1/nowhere")

    assert refused.status == 1
    assert "CRIACHAT_SECRET_KEY is needed" in refused.err


async def test_several_processes_share_one_port_and_are_replaced_when_they_die(data_dir: Path) -> None:
    async with started(data_dir, "--workers", "2") as server:
        supervisor = psutil.Process(server.process.pid)
        worker = next(child for child in supervisor.children() if "worker" in child.cmdline())
        worker.kill()

        died = await server.hears("process_died")
        others = supervisor.children()
        token = server.token

        assert (died["process"], died["status"]) == ("worker", -signal.SIGKILL)
        assert (await server.get("/api/v1/profile", token)).status_code == 200
        assert await server.stop() == 0
        assert psutil.wait_procs(others, timeout=20)[1] == []


async def test_nobody_outlives_a_supervisor_that_was_killed(data_dir: Path) -> None:
    async with started(data_dir, "--workers", "2") as server:
        children = [child for child in psutil.Process(server.process.pid).children() if "criachat" in child.cmdline()]

        await server.stop(signal.SIGKILL)
        gone, alive = psutil.wait_procs(children, timeout=40)

        assert len(gone) == 3
        assert alive == []
