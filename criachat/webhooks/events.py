"""What deliveries tell others."""

from __future__ import annotations

from criachat.kit.events import Event, declare


class DeliveryEvent(Event, frozen=True, kw_only=True):
    """Something about telling the receiver of an API inbox of a message."""

    delivery_id: str
    target: str
    error: str | None = None


@declare("delivery_failed", realtime="delivery.failed")
class DeliveryFailed(DeliveryEvent, frozen=True, kw_only=True):
    """The receiver could not be told soon enough, or refused it: the `error` says which.

    Tries go on after this; when one succeeds, `DeliveryRecovered` takes it back.
    """


@declare("delivery_recovered", realtime="delivery.recovered")
class DeliveryRecovered(DeliveryEvent, frozen=True, kw_only=True):
    """What `DeliveryFailed` told of came through after all."""


@declare("webhook_disabled", realtime="webhook.disabled")
class WebhookDisabled(Event, frozen=True, kw_only=True):
    """A webhook is told nothing any more: its receiver is `gone`, or kept `failing` for days."""

    webhook_id: int
    reason: str
