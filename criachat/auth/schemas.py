"""Access tokens, signing in and signing up on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from criachat.auth.models import AccessToken, Made
from criachat.kit.texts import Short
from criachat.kit.times import iso, iso_or_none
from criachat.users.models import Membership, User
from criachat.users.schemas import ProfileOut
from criachat.users.shown import Shown

Few = Meta(max_length=50)


class TokenParams(msgspec.Struct, kw_only=True):
    """What a token is for.

    Without `scopes` it may do all that its owner may; without addresses it is good from anywhere; pages of other
    origins may use it only when they are named.
    """

    name: Short = "Access token"
    scopes: Annotated[list[Short], Few] = []
    allowed_addresses: Annotated[list[Short], Few] = []
    allowed_origins: Annotated[list[Short], Few] = []
    expires_at: datetime | None = None


class AccountTokenParams(TokenParams, kw_only=True):
    """A token that is good for one account: of a service in the caller's name, or of the bot that is named."""

    agent_bot_id: int | None = None


class LeakedParams(msgspec.Struct, kw_only=True):
    """The access token that got into the wrong hands."""

    token: Short


class RotationParams(msgspec.Struct, kw_only=True):
    """How long the previous token is good beside the new one."""

    overlap_hours: int = 24


class TokenOut(msgspec.Struct, frozen=True, kw_only=True):
    """An access token as its owner may see it again; `token` itself is there once, when it is made.

    One with an `account_id` is good for that account alone.
    """

    id: int
    name: str
    token: str | UnsetType = UNSET
    owner_type: str
    owner_id: int
    account_id: int | None
    prefix: str
    last_characters: str
    scopes: list[str]
    allowed_addresses: list[str]
    allowed_origins: list[str]
    expires_at: str | None
    last_used_at: str | None
    created_at: str
    is_current: bool


class TokensOut(msgspec.Struct, frozen=True, kw_only=True):
    """Living access tokens, newest first."""

    payload: list[TokenOut]


def token_out(token: AccessToken, *, current_id: int | None, text: str | UnsetType = UNSET) -> TokenOut:
    """The token as its owner sees it."""
    return TokenOut(
        id=token.id,
        name=token.name,
        token=text,
        owner_type=token.owner_type,
        owner_id=token.owner_id,
        account_id=token.account_id,
        prefix=token.prefix,
        last_characters=token.last_characters,
        scopes=token.scopes,
        allowed_addresses=[str(address) for address in token.allowed_addresses],
        allowed_origins=token.allowed_origins,
        expires_at=iso_or_none(token.expires_at),
        last_used_at=iso_or_none(token.last_used_at),
        created_at=iso(token.created_at),
        is_current=token.id == current_id,
    )


def made_out(made: Made) -> TokenOut:
    """A token that was just made, with its text."""
    return token_out(made.token, current_id=None, text=made.text)


class SignInParams(msgspec.Struct, kw_only=True):
    """An address with a password or a login link's token; or the token of a second step, with a code."""

    email: Short = ""
    password: Short = ""
    sso_auth_token: Short = ""
    mfa_token: Short = ""
    otp_code: Short = ""
    backup_code: Short = ""


class EmailParams(msgspec.Struct, kw_only=True):
    """The address of whoever wants a new password."""

    email: Short = ""


class NewPasswordParams(msgspec.Struct, kw_only=True):
    """A new password, and the token that was mailed for it."""

    reset_password_token: Short = ""
    password: Short = ""
    password_confirmation: Short = ""


class ConfirmationParams(msgspec.Struct, kw_only=True):
    """The token that was mailed to an address."""

    confirmation_token: Short = ""


class CodeParams(msgspec.Struct, kw_only=True):
    """A code of the app."""

    otp_code: Short = ""


class RemovalParams(msgspec.Struct, kw_only=True):
    """A code of the app, and the password."""

    password: Short = ""
    otp_code: Short = ""


class SignUpParams(msgspec.Struct, kw_only=True):
    """A new account, and who opens it."""

    account_name: Short = ""
    user_full_name: Short = ""
    email: Short = ""
    password: Short = ""
    locale: Short = "en"


class SignedInOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever has signed in; the headers of the answer let them in from now on."""

    data: ProfileOut


class ChallengeOut(msgspec.Struct, frozen=True, kw_only=True):
    """A code is asked for."""

    mfa_token: str
    mfa_required: bool = True


class ValidOut(ProfileOut, frozen=True, kw_only=True):
    """Whoever is signed in."""

    created_at: str


class ValidityOut(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is signed in."""

    data: ValidOut
    success: bool = True


class PayloadOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a session."""

    payload: ValidityOut


class SuccessOut(msgspec.Struct, frozen=True, kw_only=True):
    """It is done."""

    success: bool = True


class SentOut(msgspec.Struct, frozen=True, kw_only=True):
    """A mail is on its way."""

    message: str


class SecondFactorOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a code is asked for when the caller signs in."""

    enabled: bool
    backup_codes_generated: bool
    feature_available: bool = True


class ProvisioningOut(msgspec.Struct, frozen=True, kw_only=True):
    """What an app takes to show codes."""

    provisioning_url: str
    secret: str


class EnabledOut(msgspec.Struct, frozen=True, kw_only=True):
    """A code is asked for from now on; the backup codes are shown this once."""

    backup_codes: list[str]
    enabled: bool = True


class BackupCodesOut(msgspec.Struct, frozen=True, kw_only=True):
    """Backup codes, shown this once."""

    backup_codes: list[str]


class DisabledOut(msgspec.Struct, frozen=True, kw_only=True):
    """No code is asked for."""

    enabled: bool = False


class SignedUpAccountOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account of whoever has signed up."""

    id: int
    name: str
    active_at: str | None
    role: str
    locale: str


class SignedUpUserOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever has signed up."""

    id: int
    provider: str
    uid: str
    name: str
    display_name: str | None
    email: str
    account_id: int
    created_at: str
    pubsub_token: str | None
    role: str
    inviter_id: int | None
    confirmed: bool
    avatar_url: str
    access_token: str | None
    accounts: list[SignedUpAccountOut]


class SignedUpOut(msgspec.Struct, frozen=True, kw_only=True):
    """The new account and its administrator."""

    data: SignedUpUserOut


def signed_up_out(
    user: User,
    memberships: list[Membership],
    shown: Shown,
    *,
    account_id: int,
    access_token: str | None,
    may_listen: bool,
) -> SignedUpOut:
    """Whoever has signed up, with all of their accounts; what opens sockets only if they `may_listen`."""
    return SignedUpOut(
        data=SignedUpUserOut(
            id=user.id,
            provider=user.provider,
            uid=user.email,
            name=user.name,
            display_name=user.display_name,
            email=user.email,
            account_id=account_id,
            created_at=iso(user.created_at),
            pubsub_token=user.pubsub_token if may_listen else None,
            role="administrator",
            inviter_id=None,
            confirmed=user.confirmed_at is not None,
            avatar_url=shown.files.avatar_url(user.avatar_key),
            access_token=access_token,
            accounts=[
                SignedUpAccountOut(
                    id=each.account_id,
                    name=each.name,
                    active_at=iso_or_none(each.active_at),
                    role=each.role,
                    locale=each.locale,
                )
                for each in memberships
            ],
        )
    )


def valid_out(profile: ProfileOut, created_at: datetime) -> PayloadOut:
    """Whoever is signed in, as asked by their own browser."""
    fields = msgspec.structs.asdict(profile)
    return PayloadOut(payload=ValidityOut(data=ValidOut(**fields, created_at=iso(created_at))))
