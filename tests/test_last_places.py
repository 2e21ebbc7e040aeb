"""What an account, or a person, has a limited number of: of many who take the last place at once, one gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, LiteralString

import msgspec
import pytest
from harness import Given

from criachat.agent_bots.models import MOST_BOTS
from criachat.auth.operations import MOST_TOKENS
from criachat.automation.models import MOST_MACROS, MOST_RULES
from criachat.campaigns.models import MOST_CAMPAIGNS
from criachat.canned_responses.queries import MOST as MOST_CANNED_RESPONSES
from criachat.custom_attributes.models import MOST_DEFINITIONS
from criachat.help_center.models import MOST_PORTALS
from criachat.integrations.models import MOST_DASHBOARD_APPS, MOST_HOOKS
from criachat.labels.models import MOST_LABELS_OF_ACCOUNT
from criachat.saved_filters.operations import MOST_FILTERS
from criachat.teams.models import MOST_TEAMS
from criachat.users.roles import MOST_ROLES
from criachat.webhooks.models import MOST_WEBHOOKS

AT_ONCE: Final = 12
AGENTS: Final = 20
ACTION: Final = {"action_name": "resolve_conversation"}
FRAME: Final = {"type": "frame", "url": "https://crm.example.com"}
BOT: Final = {"project_id": "acme-bot", "credentials": {"key": "value"}}

Prepare = Callable[[Given], Awaitable[dict[str, Any]]]


class Capped(msgspec.Struct, frozen=True):
    """Something there can be so many of: how to fill all places but one, and how the last one is asked for.

    Of `fill`, `$1` is the account, `$2` the administrator, and `$3` how many to make. Names have a number in them.
    """

    path: str
    body: dict[str, Any]
    most: int
    table: LiteralString
    fill: LiteralString
    prepare: Prepare | None = None


async def website(given: Given) -> dict[str, Any]:
    inbox = await given.inbox("Loja", channel={"type": "web_widget", "website_url": "https://loja.example"})
    return {"inbox_id": inbox["id"]}


async def licence(given: Given) -> dict[str, Any]:
    async with given.world.parts.database.transaction() as tx:
        await tx.execute("UPDATE accounts SET limits = $2 WHERE id = $1", given.account_id, {"agents": AGENTS})
    return {}


CAPPED: Final = {
    "labels": Capped(
        "/labels",
        {"title": "label-{}"},
        MOST_LABELS_OF_ACCOUNT,
        "labels WHERE account_id = $1",
        """INSERT INTO labels (account_id, title, created_at, updated_at)
        SELECT $1, 'kept-' || n, now(), now() FROM generate_series(1, $3::int) AS n WHERE $2::bigint IS NOT NULL""",
    ),
    "canned responses": Capped(
        "/canned_responses",
        {"short_code": "code-{}", "content": "Oi"},
        MOST_CANNED_RESPONSES,
        "canned_responses WHERE account_id = $1",
        """INSERT INTO canned_responses (account_id, short_code, content, created_at, updated_at)
        SELECT $1, 'kept-' || n, 'Oi', now(), now() FROM generate_series(1, $3::int) AS n
        WHERE $2::bigint IS NOT NULL""",
    ),
    "webhooks": Capped(
        "/webhooks",
        {"url": "https://crm.example.com/{}"},
        MOST_WEBHOOKS,
        "webhooks WHERE account_id = $1",
        """INSERT INTO webhooks (account_id, url, subscriptions, secret, created_at, updated_at)
        SELECT $1, 'https://kept.example.com/' || n, '{}', '', now(), now() FROM generate_series(1, $3::int) AS n
        WHERE $2::bigint IS NOT NULL""",
    ),
    "rules": Capped(
        "/automation_rules",
        {"name": "{}", "event_name": "message_created", "conditions": [], "actions": [ACTION]},
        MOST_RULES,
        "automation_rules WHERE account_id = $1",
        """INSERT INTO automation_rules (account_id, name, event_name, conditions, actions, created_at, updated_at)
        SELECT $1, n::text, 'message_created', '[]', '[]', now(), now() FROM generate_series(1, $3::int) AS n
        WHERE $2::bigint IS NOT NULL""",
    ),
    "macros": Capped(
        "/macros",
        {"name": "{}", "actions": [ACTION]},
        MOST_MACROS,
        "macros WHERE account_id = $1",
        """INSERT INTO macros (account_id, name, created_by_id, actions, created_at, updated_at)
        SELECT $1, n::text, $2::bigint, '[]', now(), now() FROM generate_series(1, $3::int) AS n""",
    ),
    "hooks": Capped(
        "/integrations/hooks",
        {"app_id": "dialogflow", "settings": BOT},
        MOST_HOOKS,
        "integration_hooks WHERE account_id = $1",
        """INSERT INTO integration_hooks (account_id, app_id, hook_type, is_only, settings, created_at, updated_at)
        SELECT $1, 'dialogflow', 'account', false, '', now(), now() FROM generate_series(1, $3::int)
        WHERE $2::bigint IS NOT NULL""",
        website,
    ),
    "dashboard apps": Capped(
        "/dashboard_apps",
        {"title": "{}", "content": [FRAME]},
        MOST_DASHBOARD_APPS,
        "dashboard_apps WHERE account_id = $1",
        """INSERT INTO dashboard_apps (account_id, title, content, created_at, updated_at)
        SELECT $1, n::text, '[]', now(), now() FROM generate_series(1, $3::int) AS n WHERE $2::bigint IS NOT NULL""",
    ),
    "custom roles": Capped(
        "/custom_roles",
        {"name": "{}"},
        MOST_ROLES,
        "custom_roles WHERE account_id = $1",
        """INSERT INTO custom_roles (account_id, name, created_at, updated_at)
        SELECT $1, n::text, now(), now() FROM generate_series(1, $3::int) AS n WHERE $2::bigint IS NOT NULL""",
    ),
    "saved filters": Capped(
        "/custom_filters",
        {"name": "{}", "type": "report", "query": {"payload": []}},
        MOST_FILTERS,
        "custom_filters WHERE account_id = $1",
        """INSERT INTO custom_filters (account_id, user_id, name, filter_type, query, created_at, updated_at)
        SELECT $1, $2::bigint, n::text, 'report', '{}', now(), now() FROM generate_series(1, $3::int) AS n""",
    ),
    "campaigns": Capped(
        "/campaigns",
        {"title": "{}", "message": "Oi"},
        MOST_CAMPAIGNS,
        "campaigns WHERE account_id = $1",
        """INSERT INTO campaigns (account_id, display_id, inbox_id, title, message, campaign_type, created_at,
            updated_at)
        SELECT $1, 100000 + n, (SELECT max(id) FROM inboxes WHERE account_id = $1), n::text, 'Oi', 'ongoing', now(),
            now()
        FROM generate_series(1, $3::int) AS n WHERE $2::bigint IS NOT NULL""",
        website,
    ),
    "teams": Capped(
        "/teams",
        {"name": "{}"},
        MOST_TEAMS,
        "teams WHERE account_id = $1",
        """INSERT INTO teams (account_id, name, created_at, updated_at)
        SELECT $1, 'kept ' || n, now(), now() FROM generate_series(1, $3::int) AS n WHERE $2::bigint IS NOT NULL""",
    ),
    "custom attributes": Capped(
        "/custom_attribute_definitions",
        {
            "attribute_display_name": "{}",
            "attribute_key": "key_{}",
            "attribute_display_type": 0,
            "attribute_model": 0,
        },
        MOST_DEFINITIONS,
        "custom_attribute_definitions WHERE account_id = $1",
        """INSERT INTO custom_attribute_definitions (account_id, attribute_model, attribute_key, attribute_display_name,
            attribute_display_type, created_at, updated_at)
        SELECT $1, 'contact_attribute', 'kept_' || n, 'Kept', 'text', now(), now()
        FROM generate_series(1, $3::int) AS n WHERE $2::bigint IS NOT NULL""",
    ),
    "bots": Capped(
        "/agent_bots",
        {"name": "{}"},
        MOST_BOTS,
        "agent_bots WHERE account_id = $1",
        """INSERT INTO agent_bots (account_id, id, name, secret, created_at, updated_at)
        SELECT $1, nextval('agent_bots_id_seq'), n::text, '', now(), now() FROM generate_series(1, $3::int) AS n
        WHERE $2::bigint IS NOT NULL""",
    ),
    "portals": Capped(
        "/portals",
        {"name": "{}", "slug": "portal-{}"},
        MOST_PORTALS,
        "portals WHERE account_id = $1",
        """INSERT INTO portals (account_id, name, slug, allowed_locales, default_locale, created_at, updated_at)
        SELECT $1, n::text, 'kept-' || $1::bigint || '-' || n, '{en}', 'en', now(), now()
        FROM generate_series(1, $3::int) AS n WHERE $2::bigint IS NOT NULL""",
    ),
    "access tokens": Capped(
        "/access_tokens",
        {"name": "{}"},
        MOST_TOKENS,
        """access_tokens WHERE owner_type = 'user'
            AND owner_id = (SELECT min(user_id) FROM account_users WHERE account_id = $1)""",
        """INSERT INTO access_tokens (digest, prefix, last_characters, name, owner_type, owner_id, account_id,
            created_at)
        SELECT sha256(('kept ' || $1::bigint || ' ' || n)::bytea), 'cria_svc_', 'abcd', n::text, 'user', $2::bigint, $1,
            now()
        FROM generate_series(1, $3::int) AS n""",
    ),
    "agents": Capped(
        "/agents",
        {"name": "{}", "email": "{}@example.net"},
        AGENTS,
        "account_users WHERE account_id = $1",
        """WITH people AS (
            INSERT INTO users (name, email, pubsub_token, created_at, updated_at)
            SELECT 'Kept', 'kept' || $1::bigint || '.' || n || '@example.net', 'kept' || $1::bigint || '.' || n, now(),
                now()
            FROM generate_series(1, $3::int) AS n
            RETURNING id
        )
        INSERT INTO account_users (account_id, user_id, role, created_at, updated_at)
        SELECT $1, id, 'agent', now(), now() FROM people WHERE $2::bigint IS NOT NULL""",
        licence,
    ),
}


def numbered(body: dict[str, Any], number: int, given: Given) -> dict[str, Any]:
    """The body with this number where one belongs; nobody else's in another test."""
    mark = f"{given.account_id}-{number}"
    return {name: value.replace("{}", mark) if isinstance(value, str) else value for name, value in body.items()}


@pytest.mark.parametrize("name", CAPPED)
async def test_of_many_who_take_the_last_place_at_once_one_gets_it(given: Given, name: str) -> None:
    capped = CAPPED[name]
    body = {**capped.body, **(await capped.prepare(given) if capped.prepare else {})}
    count: LiteralString = "SELECT count(*) FROM " + capped.table
    async with given.world.parts.database.transaction() as tx:
        there = await tx.fetch_value(count, given.account_id)
        await tx.execute(capped.fill, given.account_id, given.boss.id, capped.most - 1 - there)

    replies = await asyncio.gather(
        *(given.api.post(capped.path, numbered(body, number, given)) for number in range(AT_ONCE))
    )

    refusal = 402 if name == "agents" else 422
    assert sorted(reply.status for reply in replies) == [200] + [refusal] * (AT_ONCE - 1)
    async with given.world.parts.database.reading() as db:
        assert await db.fetch_value(count, given.account_id) == capped.most
