"""What signing in and out tells others."""

from __future__ import annotations

from criachat.kit.events import Event, declare


@declare("signed_in")
class SignedIn(Event, frozen=True, kw_only=True):
    """A member of the account signed in somewhere: whoever it is that acts."""


@declare("signed_out")
class SignedOut(Event, frozen=True, kw_only=True):
    """A member of the account signed out where they had signed in: whoever it is that acts."""
