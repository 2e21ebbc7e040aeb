"""Settings, read once from the environment. Nothing else reads it; `docs/settings.md` is made from this struct."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from email.utils import parseaddr
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from criachat.kit.addresses import Trusted, read_networks
from criachat.kit.limits import LIMITS, adjusted, read_changes

PREFIX = "CRIACHAT_"


class SettingInvalid(ValueError):
    """A setting that cannot be read; the text names the variable and says what it takes."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator can choose. The variable is the field's name in capitals behind `CRIACHAT_`."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 3000
    workers: Annotated[int, Meta(ge=1, le=64, description="Web processes; 1 runs everything in one process.")] = 1
    data_dir: Annotated[
        Path | None, Meta(description="Where the embedded database, the files and the installation key are kept.")
    ] = None
    base_url: Annotated[
        str | None,
        Meta(description="The address users and providers reach this server under, e.g. https://chat.example."),
    ] = None
    database_url: Annotated[
        str | None, Meta(description="An existing PostgreSQL 15 or newer, instead of the embedded one.")
    ] = None
    database_pool_size: Annotated[
        int, Meta(ge=4, le=200, description="Connections each process keeps to PostgreSQL.")
    ] = 12
    secret_key: Annotated[
        tuple[str, ...],
        Meta(description="Installation keys, newest first; required with `CRIACHAT_DATABASE_URL`."),
    ] = ()
    file_store_url: Annotated[
        str | None,
        Meta(description="Where files are kept: s3://, gs:// or az:// URL; a folder of the data directory when unset."),
    ] = None
    allowed_private_hosts: Annotated[
        tuple[str, ...],
        Meta(description="Private hosts, addresses or networks that webhooks may reach, e.g. 127.0.0.1 or 10.0.0.0/8."),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...], Meta(description="Addresses or networks of reverse proxies whose X-Forwarded-For is believed.")
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...],
        Meta(description="Origins of our own pages, beside the base URL, that may use operator tokens."),
    ] = ()
    log_level: Annotated[str, Meta(description="debug, info, warning or error.")] = "info"
    webhook_timeout_seconds: Annotated[
        int, Meta(ge=1, le=30, description="How long a receiver may take to answer a webhook.")
    ] = 15
    webhook_concurrency: Annotated[int, Meta(ge=1, le=512, description="Webhooks sent at the same time.")] = 64
    webhook_concurrency_per_host: Annotated[
        int, Meta(ge=1, le=256, description="Webhooks sent at the same time to one receiver.")
    ] = 8
    payload_retention_days: Annotated[int, Meta(ge=1, le=90, description="How long webhook payloads are kept.")] = 30
    attempt_retention_days: Annotated[
        int,
        Meta(
            ge=1, le=365, description="How long deliveries, their attempts and addresses that macros had told are kept."
        ),
    ] = 90
    audit_retention_days: Annotated[
        int, Meta(ge=1, le=3650, description="How long it is kept who changed what in an account.")
    ] = 365
    event_retention_days: Annotated[int, Meta(ge=4, le=365, description="How long the event log is kept.")] = 30
    maximum_file_upload_mb: Annotated[int, Meta(ge=1, le=1024, description="Largest file a message may carry.")] = 40
    maximum_request_mb: Annotated[int, Meta(ge=1, le=4096, description="Largest multipart request.")] = 200
    translation_url: Annotated[
        str | None,
        Meta(description="Where messages are translated, e.g. https://libretranslate.example/translate."),
    ] = None
    translation_key: Annotated[str | None, Meta(description="The key that the translation service asks for.")] = None
    message_per_minute_limit: Annotated[
        int, Meta(ge=1, description="Messages one conversation may take in a minute.")
    ] = 200
    presence_seconds: Annotated[
        int, Meta(ge=5, le=600, description="How long after its last sign an agent counts as online.")
    ] = 45
    contact_presence_seconds: Annotated[
        int, Meta(ge=5, le=600, description="How long after its last sign a contact counts as online.")
    ] = 90
    enable_inbox_events: Annotated[
        bool, Meta(description="Send inbox_created and inbox_updated to webhooks that subscribe.")
    ] = False
    enable_sign_up: Annotated[bool, Meta(description="Let anybody open an account of their own.")] = False
    blocked_email_domains: Annotated[
        tuple[str, ...],
        Meta(description="Domains whose addresses nobody signs up with, beside those of throw-away mailboxes."),
    ] = ()
    smtp_url: Annotated[
        str | None,
        Meta(
            description="Server that mail is sent through, e.g. smtp://user:password@mail.example:587 or smtps://…; "
            "mails are only shown in the log when unset."
        ),
    ] = None
    mail_from: Annotated[str, Meta(description="Whom mails come from.")] = "CriaChat <no-reply@localhost>"
    inbound_email_domain: Annotated[
        str | None,
        Meta(description="The domain whose mail reaches us, for accounts without one of their own: mail.example.com."),
    ] = None
    metrics_token: Annotated[
        str | None, Meta(description="Bearer token for /metrics; without one only loopback callers may read it.")
    ] = None
    rate_limits: Annotated[bool, Meta(description="Refuse callers that are too fast.")] = True
    changed_limits: Annotated[
        tuple[str, ...],
        Meta(description="Other numbers for rate limits, by name, e.g. token=600,contact-search=30; 0 takes one away."),
    ] = ()

    def data_directory(self) -> Path:
        """The data directory, with its default worked out."""
        return self.data_dir or default_data_directory()


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address like https://chat.example")


def _check_mail_server(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        # Its text is not repeated, for it may hold a password.
        raise ValueError("it is no address like smtp://user:password@mail.example:587") from None


def _check_sender(text: str) -> None:
    if "@" not in parseaddr(text)[1]:
        raise ValueError(f"{text!r} is no address like CriaChat <chat@mail.example>")


# What the type does not tell: whoever works with these raises ValueError at what they cannot use.
CHECKS: Final[Mapping[str, Callable[[Any], object]]] = {
    "base_url": _check_address,
    "translation_url": _check_address,
    "smtp_url": _check_mail_server,
    "mail_from": _check_sender,
    "allowed_private_hosts": Trusted,
    "trusted_proxies": read_networks,
    "changed_limits": lambda entries: adjusted(LIMITS, read_changes(entries)),
}


def default_data_directory() -> Path:
    """`/var/lib/criachat` for root, `~/.local/share/criachat` for everybody else."""
    home = Path.home()
    return Path("/var/lib/criachat") if home == Path("/root") else home / ".local" / "share" / "criachat"


def read_settings(environment: Mapping[str, str], **chosen: object) -> Settings:
    """The settings of this process; what the command line chose wins over the environment."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        variable = PREFIX + field.name.upper()
        text = environment.get(variable, "").strip()
        said = chosen.get(field.name)
        if said is None and text:
            said = _read(field.type, text)
        if said is None:
            continue
        try:
            values[field.name] = msgspec.convert(said, field.type, strict=False, dec_hook=_path)
            if field.name in CHECKS:
                CHECKS[field.name](values[field.name])
        except (msgspec.ValidationError, ValueError) as failure:
            raise SettingInvalid(f"{variable} is not usable: {failure}") from failure
    return Settings(**values)


def _read(kind: Any, text: str) -> object:
    return [part.strip() for part in text.split(",") if part.strip()] if "tuple" in str(kind) else text


def _path(kind: type, value: object) -> object:
    return Path(str(value)).expanduser() if issubclass(kind, Path) else value
