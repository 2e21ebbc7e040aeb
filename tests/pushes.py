"""The contract's shared objects, as sockets and the feed show them."""

from __future__ import annotations

from typing import Any

from shapes import iso, one_of, unix


def unix_or_never(value: object) -> bool:
    """Whether it is a time in whole seconds, or 0 for never."""
    return unix(value) or (type(value) is int and value == 0)


def fraction(value: object) -> bool:
    """Whether it is a time in seconds with a fraction."""
    return type(value) is float and unix(int(value))


def string_keys(value: object) -> bool:
    """Whether it is an object of digits as keys and words."""
    return isinstance(value, dict) and all(key.isdigit() and isinstance(seen, str) for key, seen in value.items())


USER: dict[str, Any] = {
    "id": int,
    "name": str,
    "available_name": str,
    "avatar_url": str,
    "type": "user",
    "availability_status": one_of("online", "busy", "offline", None),
    "thumbnail": str,
}
# As requests show the same person: always with whether they are there.
PRESENT_USER: dict[str, Any] = {**USER, "availability_status": one_of("online", "busy", "offline")}
BOT = {"id": int, "name": str, "avatar_url": str, "type": "agent_bot"}
CONTACT: dict[str, Any] = {
    "additional_attributes": dict,
    "custom_attributes": dict,
    "email": one_of(str, None),
    "id": int,
    "identifier": one_of(str, None),
    "name": str,
    "phone_number": one_of(str, None),
    "thumbnail": str,
    "blocked": bool,
    "type": "contact",
}
# As requests show a contact who may have no name.
NAMELESS_CONTACT: dict[str, Any] = {**CONTACT, "name": one_of(str, None)}
CONTACT_INBOX = {
    "id": int,
    "contact_id": int,
    "inbox_id": int,
    "source_id": str,
    "created_at": iso,
    "updated_at": iso,
    "hmac_verified": bool,
    "pubsub_token": one_of(str, None),
}
ATTACHMENT = {
    "id": int,
    "message_id": int,
    "file_type": str,
    "account_id": int,
    "extension": one_of(str, None),
    "data_url": str,
    "thumb_url": str,
    "file_size": int,
    "width": one_of(int, None),
    "height": one_of(int, None),
}
MESSAGE: dict[str, Any] = {
    "id": int,
    "content": one_of(str, None),
    "account_id": int,
    "inbox_id": int,
    "conversation_id": int,
    "message_type": one_of(0, 1, 2, 3),
    "created_at": unix,
    "updated_at": iso,
    "private": bool,
    "status": one_of("sent", "delivered", "read", "failed"),
    "source_id": one_of(str, None),
    "content_type": str,
    "content_attributes": dict,
    "sender_type": one_of("User", "Contact", "AgentBot", None),
    "sender_id": one_of(int, None),
    "external_source_ids": dict,
    "additional_attributes": dict,
    "processed_message_content": one_of(str, None),
    "sentiment": {},
    "conversation": {
        "assignee_id": one_of(int, None),
        "unread_count": int,
        "last_activity_at": unix,
        "contact_inbox": {"source_id": str},
    },
    "sender?": one_of(USER, CONTACT, BOT),
    "attachments?": [ATTACHMENT],
    "echo_id?": one_of(str, int),
}
CONVERSATION: dict[str, Any] = {
    "additional_attributes": dict,
    "can_reply": bool,
    "channel": "Channel::Api",
    "contact_inbox": CONTACT_INBOX,
    "id": int,
    "inbox_id": int,
    "messages": [MESSAGE],
    "labels": [str],
    "meta": {
        "sender": CONTACT,
        "assignee": one_of(USER, BOT, None),
        "assignee_type": one_of("User", "AgentBot", None),
        "team": one_of({"id": int, "name": str}, None),
        "hmac_verified": bool,
    },
    "status": one_of("open", "resolved", "pending", "snoozed"),
    "custom_attributes": dict,
    "snoozed_until": one_of(iso, None),
    "unread_count": int,
    "first_reply_created_at": one_of(iso, None),
    "priority": one_of("low", "medium", "high", "urgent", None),
    "waiting_since": unix_or_never,
    "agent_last_seen_at": unix_or_never,
    "contact_last_seen_at": unix_or_never,
    "last_activity_at": unix,
    "timestamp": unix,
    "created_at": unix,
    "updated_at": fraction,
    "account_id": int,
}
PERFORMER = {"performer?": one_of(USER, BOT)}
# As lists show it; sockets add the account.
NOTIFICATION: dict[str, Any] = {
    "id": int,
    "notification_type": str,
    "push_message_title": str,
    "push_message_body": str,
    "primary_actor_type": "Conversation",
    "primary_actor_id": int,
    "primary_actor": CONVERSATION,
    "read_at": one_of(iso, None),
    "secondary_actor": one_of(MESSAGE, USER, None),
    "user": USER,
    "created_at": unix,
    "last_activity_at": unix,
    "snoozed_until": one_of(iso, None),
    "meta": dict,
}
