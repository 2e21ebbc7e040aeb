"""Who is asked for in a private note: `[@Ana](mention://user/7/Ana)`, `[@Sales](mention://team/4/sales)`."""

from __future__ import annotations

import re

from criachat.conversations.models import Mentions
from criachat.conversations.snapshots import MessageSnapshot
from criachat.kit.http.binding import id_of

MENTION = re.compile(r"\(mention://(user|team)/(\d{1,19})/[^)\s]*\)")
# Nobody reads a note that names more; what comes behind is text.
MOST_MENTIONS = 200


def mentions_in(message: MessageSnapshot) -> Mentions | None:
    """Who is asked for; None when nobody is."""
    if not message.private or not message.content:
        return None
    found: dict[str, dict[int, None]] = {"user": {}, "team": {}}
    for number, match in enumerate(MENTION.finditer(message.content)):
        named = id_of(match[2])
        if number == MOST_MENTIONS:
            break
        if named:
            found[match[1]][named] = None
    users, teams = tuple(found["user"]), tuple(found["team"])
    return Mentions(message_id=message.id, user_ids=users, team_ids=teams) if users or teams else None
