"""What can be done with webhooks and deliveries."""

from criachat.webhooks.operations.keeping import (
    create_webhook,
    delete_webhook,
    enable,
    open_secret,
    revoke_previous_secret,
    rotate_secret,
    update_webhook,
)
from criachat.webhooks.operations.recording import record
from criachat.webhooks.operations.telling import (
    TOPIC,
    queue_deliveries,
    queue_sample,
    queue_tellings,
    queue_typing,
    queue_widget_opened,
    replay,
    replay_span,
    retry_message,
)

__all__ = [
    "TOPIC",
    "create_webhook",
    "delete_webhook",
    "enable",
    "open_secret",
    "queue_deliveries",
    "queue_sample",
    "queue_tellings",
    "queue_typing",
    "queue_widget_opened",
    "record",
    "replay",
    "replay_span",
    "retry_message",
    "revoke_previous_secret",
    "rotate_secret",
    "update_webhook",
]
