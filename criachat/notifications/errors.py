"""What cannot be asked of notifications."""

from __future__ import annotations

from criachat.kit.errors import Invalid


class MomentInvalid(Invalid):
    """Snoozed until must be a time in unix seconds"""

    attributes = ("snoozed_until",)


class FlagsInvalid(Invalid):
    """Flags must be names of notifications, such as email_conversation_mention"""

    attributes = ("selected_email_flags", "selected_push_flags")


class SubscriptionTypeUnknown(Invalid):
    """Subscription type must be browser_push or fcm"""

    attributes = ("subscription_type",)


class SubscriptionInvalid(Invalid):
    """Subscription attributes must be texts that name the browser or phone"""

    attributes = ("subscription_attributes",)
