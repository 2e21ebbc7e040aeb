"""Why a caller is not let in."""

from __future__ import annotations

from criachat.kit.errors import Invalid, NotAuthorized, Refused, Unprocessable


class NotYourAccount(NotAuthorized):
    """You are not authorized to access this account"""


class BotNotConnected(NotAuthorized):
    """Bot is not authorized to access this account"""


class AccountSuspended(NotAuthorized):
    """Account is suspended"""


class TokenInPage(NotAuthorized):
    """This access token must not be used in a web page of another origin"""


class AddressNotAllowed(NotAuthorized):
    """This access token may not be used from this address"""


class TooManyTokens(Invalid):
    """Access tokens are too many (maximum is 100); revoke some first"""


class ScopeUnknown(Invalid):
    """Scopes hold one that does not exist"""

    attributes = ("scopes",)


class ScopeNotYours(NotAuthorized):
    """An access token cannot make one that may do more than itself"""


class AddressInvalid(Invalid):
    """Allowed addresses hold one that is neither an address nor a network"""

    attributes = ("allowed_addresses",)


class OriginInvalid(Invalid):
    """Allowed origins hold one that is not like https://app.example.com"""

    attributes = ("allowed_origins",)


class ExpiryInvalid(Invalid):
    """Expires at must be a moment of the next ten years"""

    attributes = ("expires_at",)


class OverlapInvalid(Invalid):
    """Overlap hours must be between 0 and 168"""

    attributes = ("overlap_hours",)


class WrongCredentials(Refused):
    """Invalid login credentials. Please try again."""

    status = 401

    def body(self) -> object:
        return {"success": False, "errors": [self.text]}


class NotConfirmed(WrongCredentials):
    """Confirm your address first: follow the link that was sent to it"""


class SignsInElsewhere(WrongCredentials):
    """Sign in with your company's own sign-in page"""

    def body(self) -> object:
        return {"success": False, "message": self.text, "errors": [self.text]}


class PasswordKeptElsewhere(SignsInElsewhere):
    """Your password is kept by your company's own sign-in page"""

    status = 403


class SessionInvalid(WrongCredentials):
    """Invalid login credentials"""


class NotSignedIn(WrongCredentials):
    """User was not found or was not logged in."""

    status = 404


class ChallengeOver(Refused):
    """This sign-in took too long, or was never begun; sign in again"""

    status = 401


class CodeWrong(Refused):
    """The code is wrong, or was used before"""

    status = 400


class SecondFactorCodeWrong(Unprocessable):
    """The code is wrong, or was used before"""


class SecondFactorEnabled(Unprocessable):
    """A second factor is set up already"""


class SecondFactorMissing(Unprocessable):
    """No second factor is set up"""


class SecondFactorPasswordWrong(Unprocessable):
    """Invalid password"""


class AddressUnknown(Refused):
    """Nobody signs in with this address"""

    status = 404

    def body(self) -> object:
        return {"message": self.text}


class LinkInvalid(Refused):
    """Invalid token"""

    def body(self) -> object:
        return {"message": self.text, "redirect_url": "/"}


class AlreadyConfirmed(LinkInvalid):
    """Already confirmed"""


class ConfirmationFailed(LinkInvalid):
    """Failure"""


class SessionTokenReset(Unprocessable):
    """This access token belongs to a session: reset it with the session's own headers"""


class SignUpRefused(Refused):
    """You cannot sign up with these"""

    status = 403

    def body(self) -> object:
        return {"message": self.text}


class NameMissing(SignUpRefused):
    """Say what the account or you are called"""


class SignUpEmailInvalid(SignUpRefused):
    """This is no address that can be signed up with"""


class SignUpEmailTaken(SignUpRefused):
    """Somebody signs in with this address already"""
