"""Who reaches what: every endpoint there is, asked by everybody who must not, about everything that is not theirs.

The requests are made from the registered endpoints, so that a new one is asked as well. Whether a caller is let in is
seen without anything being done: parameters that cannot be read are refused after the caller was admitted, and before
the endpoint's own function runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from harness import Api, Given, Person, Reply

from criachat.auth import operations as auth
from criachat.kit.actors import ANYONE, BOT, CONTACT, PERSON, PLATFORM_APP, Callers
from criachat.kit.http.routes import Endpoint
from criachat.kit.tokens import random_token
from criachat.platform_api import queries as platform
from criachat.slices import ROUTES
from criachat.users.access import find_user_by_email

UNREADABLE = "?x=%FF"
ENDPOINTS = [endpoint for routes in ROUTES for endpoint in routes.endpoints]
# Whoever calls these brings a token; the others are for everybody, or for the contact that their path names.
WITH_TOKEN = [endpoint for endpoint in ENDPOINTS if not endpoint.actors & (ANYONE | CONTACT)]
# Those that speak of something in their path: of an account, or of what belongs to a person.
OF_SOMETHING = [endpoint for endpoint in WITH_TOKEN if "{" in endpoint.path]
OF_CONTACTS = [endpoint for endpoint in ENDPOINTS if endpoint.actors & CONTACT]
SCOPES = sorted({endpoint.scope for endpoint in WITH_TOKEN if endpoint.scope})

TENANT_TABLES = """
SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'account_id'
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname
"""


def called(endpoints: list[Endpoint]) -> Iterator[tuple[Endpoint, str]]:
    """Every endpoint with every method it answers."""
    for endpoint in endpoints:
        for method in endpoint.methods:
            yield endpoint, method


def names_in(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


# --- two accounts that mirror each other


class Site(msgspec.Struct, frozen=True):
    """One account with one of everything, all of it marked with a word found nowhere else."""

    given: Given
    mark: str
    ids: Mapping[str, Any]
    """Ids of what is in it, by the name under which endpoints ask for them."""
    in_public: Mapping[str, Any]
    """The same where a contact asks: the conversation and the message of its session."""

    def path(self, endpoint: Endpoint) -> str:
        ids = {**self.ids, **self.in_public} if endpoint.actors & CONTACT else self.ids
        return endpoint.path.format(**ids)


async def built(given: Given, *, mark: str, conversations: int) -> Site:
    api = given.api
    inbox = await given.inbox(f"Inbox {mark}", greeting_message=mark, channel={"additional_attributes": {"a": mark}})
    ana = await given.agent(f"Ana-{mark}", inbox=inbox)
    contact = await given.contact(f"Rosa {mark}", identifier=f"id-{mark}", custom_attributes={"note": mark})
    import_id, export_id = [
        int(reply.headers["location"].rpartition("/")[2])
        for reply in (
            await api.post("/contacts/import", files={"import_file": ("c.csv", f"name\n{mark}\n".encode())}),
            await api.post("/contacts/export", {}),
        )
    ]
    saved = (await api.post("/custom_filters", {"name": mark, "query": {"mark": mark}})).json
    note = (await api.post(f"/contacts/{contact['id']}/notes", {"content": mark})).json
    for _ in range(conversations):
        conversation = await given.conversation(inbox=inbox, contact=contact, custom_attributes={"note": mark})
    message = await given.message(conversation, f"Said {mark}")
    session = await given.session(inbox, name=f"Clara {mark}", email=f"clara-{mark}@example.net")
    door = f"/public/api/v1/inboxes/{inbox['inbox_identifier']}/contacts/{session['source_id']}"
    own = (await api.post(f"{door}/conversations", {"custom_attributes": {"note": mark}})).json
    own_message = (await api.post(f"{door}/conversations/{own['id']}/messages", {"content": f"Own {mark}"})).json
    label = (await api.post("/labels", {"title": f"label-{mark}"})).json
    definition = (
        await api.post("/custom_attribute_definitions", {"attribute_display_name": mark, "attribute_key": mark})
    ).json
    portal = await given.portal(f"Portal {mark}", header_text=mark)
    category = await given.category(portal, f"category-{mark}", description=mark)
    article = await given.article(portal, f"Article {mark}", category_id=category["id"])
    spam = {"name": mark, "actions": [{"action_name": "add_label", "action_params": [mark]}], "visibility": "global"}
    macro = (await api.post("/macros", spam)).json["payload"]
    canned = (await api.post("/canned_responses", {"short_code": f"canned-{mark}", "content": mark})).json
    team = (await api.post("/teams", {"name": f"team-{mark}", "description": mark})).json
    await api.post(f"/teams/{team['id']}/team_members", {"user_ids": [ana.id]})
    role = await given.custom_role("report_manage", name=f"Role {mark}")
    mention = f"[@B](mention://user/{given.boss.id}/B) {mark}"
    await api.acting_as(await given.administrator("Bruno")).post(
        f"/conversations/{conversation['id']}/messages", {"content": mention, "private": True}
    )
    webhook = await given.webhook("http://127.0.0.1:9/" + mark)
    await given.message(conversation, f"Delivered {mark}")
    await given.delivered()
    delivery = (await api.get("/deliveries")).json["deliveries"][0]
    rule = {"name": mark, "event_name": "message_created", "conditions": []}
    action = {"action_name": "add_private_note", "action_params": [mark]}
    rule = (await api.post("/automation_rules", {**rule, "actions": [action]})).json
    api_key = {"app_id": "openai", "settings": {"api_key": mark}}
    hook = (await api.post("/integrations/hooks", api_key)).json
    page = {"title": mark, "content": [{"type": "frame", "url": f"https://example.com/{mark}"}]}
    page = (await api.post("/dashboard_apps", page)).json
    website = await given.inbox(f"Site {mark}", channel={"type": "web_widget", "website_url": "https://example.com"})
    for _ in range(conversations):
        campaign = {"title": mark, "message": mark, "inbox_id": website["id"]}
        campaign = (await api.post("/campaigns", campaign)).json
    told = (await api.get("/notifications")).json["data"]["payload"]
    token = (await api.post("/access_tokens", {"name": mark})).json
    bot = await given.bot(f"Bot {mark}", inbox=await given.inbox(f"Bots {mark}"))
    ids = {
        "account_id": given.account_id,
        "notification_id": told[0]["id"],
        "hook_id": hook["id"],
        "app_id": "weather",
        "dashboard_app_id": page["id"],
        "campaign_id": campaign["id"],
        "rule_id": rule["id"],
        "token_id": token["id"],
        "agent_bot_id": bot.id,
        "agent_bot": bot.id,
        "inbox_id": inbox["id"],
        "inbox_ids": [inbox["id"]],
        "contact_id": contact["id"],
        "conversation_id": conversation["id"],
        "message_id": message["id"],
        "label_id": label["id"],
        "definition_id": definition["id"],
        "note_id": note["id"],
        "import_id": import_id,
        "export_id": export_id,
        "filter_id": saved["id"],
        "canned_response_id": canned["id"],
        "slug": portal["slug"],
        "category_id": category["id"],
        "article_id": article["id"],
        "macro_id": macro["id"],
        "team_id": team["id"],
        "role_id": role["id"],
        "custom_role_id": role["id"],
        "webhook_id": webhook["id"],
        "delivery_id": delivery["id"],
        "user_id": ana.id,
        "assignee_id": ana.id,
        "user_ids": [ana.id],
        "source_id": session["source_id"],
        "inbox_identifier": inbox["inbox_identifier"],
        "contact_identifier": session["source_id"],
    }
    return Site(given, mark, ids, {"conversation_id": own["id"], "message_id": own_message["id"]})


@pytest.fixture
async def ours(given: Given) -> Site:
    return await built(given, mark=f"ours{random_token(8)}", conversations=1)


@pytest.fixture
async def theirs(given: Given) -> Site:
    """Another account. Its conversations have numbers that ours has not."""
    return await built(await given.another_account(), mark=f"theirs{random_token(8)}", conversations=5)


async def everything(site: Site) -> dict[str, str]:
    """What the database holds of an account, table by table."""
    async with site.given.world.parts.database.reading() as db:
        tables: list[str] = await db.fetch_values(TENANT_TABLES)
        return {
            table: await db.fetch_value(_contents(table), site.given.account_id)
            for table in tables
            if table not in ("access_tokens", "event_cursors")
        }


def _contents(table: str) -> Any:
    return f"SELECT string_agg(kept::text, chr(10) ORDER BY kept::text) FROM {table} AS kept WHERE account_id = $1"


def probe(endpoint: Endpoint, site: Site) -> dict[str, Any]:
    """Parameters that speak of what is in this account, wherever an endpoint asks for an id."""
    kind = next((hint for hint in get_type_hints(endpoint.handler).values() if _is_params(hint)), None)
    if kind is None:
        return {}
    body: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.name in site.ids:
            body[field.name] = site.ids[field.name]
        elif field.required:
            body[field.name] = [] if get_origin(field.type) is list else "probe" if str in _kinds(field.type) else 1
    return body


def _is_params(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct) and hint.__name__.endswith("Params")


def _kinds(hint: object) -> set[object]:
    return {hint, *(kind for inner in get_args(hint) for kind in _kinds(inner))}


def holds(reply: Reply, site: Site) -> bool:
    return site.mark.encode() in reply.body


async def people(site: Site) -> dict[str, Person]:
    """Everybody in the account who has a token."""
    inbox = {"id": site.ids["inbox_id"]}
    return {
        "administrator": await site.given.administrator("Bruno"),
        "agent": await site.given.agent("Davi", inbox=inbox),
        "bot": await site.given.bot(),
        "operator's app": await operators_app(site),
    }


async def operators_app(site: Site) -> Person:
    """An operator's app that made the account and what is in it."""
    async with site.given.world.parts.database.transaction() as tx:
        token = await auth.create_platform_app(tx, site.given.world.keyring, name=site.mark)
        app_id = await tx.fetch_value("SELECT id FROM platform_apps WHERE name = $1", site.mark)
        for kind, name in (("account", "account_id"), ("user", "user_id"), ("agent_bot", "agent_bot_id")):
            await platform.permit(tx, app_id, kind, site.ids[name])
    return Person(id=0, name="", token=token)


# --- another account


@pytest.mark.promise("TN-2")
async def test_nobody_of_one_account_comes_into_another(ours: Site, theirs: Site) -> None:
    before = await everything(theirs)
    offences: list[str] = []
    for name, person in (await people(ours)).items():
        for endpoint, method in called(OF_SOMETHING):
            reply = await ours.given.api.acting_as(person).call(
                method, theirs.path(endpoint), **sent(method, probe(endpoint, theirs))
            )
            if reply.status not in (401, 404) or holds(reply, theirs):
                offences.append(f"{name}: {method} {endpoint.path} -> {reply.status} {reply.body[:80]!r}")

    assert offences == []
    assert await everything(theirs) == before


@pytest.mark.promise("TN-2")
async def test_in_ones_own_account_nothing_of_another_is_found(ours: Site, theirs: Site) -> None:
    before = await everything(theirs)
    mixed = Site(ours.given, theirs.mark, {**theirs.ids, "account_id": ours.given.account_id}, {})
    offences: list[str] = []
    for name, person in (await people(ours)).items():
        for endpoint, method in called(OF_SOMETHING):
            reply = await ours.given.api.acting_as(person).call(
                method, mixed.path(endpoint), **sent(method, probe(endpoint, mixed))
            )
            is_about_something = names_in(endpoint.path) != ["account_id"]
            if holds(reply, theirs) or (is_about_something and reply.status not in (401, 404, 422)):
                offences.append(f"{name}: {method} {endpoint.path} -> {reply.status} {reply.body[:80]!r}")

    assert offences == []
    assert await everything(theirs) == before


@pytest.mark.promise("TN-2")
async def test_no_contact_reaches_what_another_said(ours: Site, theirs: Site) -> None:
    """Neither in another account, nor beside them in the same inbox, nor with one's own session in another's inbox."""
    before = await everything(theirs)
    nobody = ours.given.api.acting_as(None)
    inbox, session = "inbox_identifier", "contact_identifier"
    wrong = [
        {**theirs.ids, **theirs.in_public, inbox: ours.ids[inbox]},
        {**theirs.ids, **theirs.in_public, session: ours.ids[session]},
        {**ours.ids, **theirs.in_public},
        {**ours.ids, "message_id": theirs.in_public["message_id"]},
    ]
    offences: list[str] = []
    for ids in wrong:
        for endpoint, method in called(OF_CONTACTS):
            names = names_in(endpoint.path)
            if not any(ids[name] != {**ours.ids, **ours.in_public}[name] for name in names) or session not in names:
                continue
            reply = await nobody.call(method, endpoint.path.format(**ids), **sent(method, {"content": "probe"}))
            if holds(reply, theirs) or reply.status not in (401, 404, 422):
                offences.append(f"{method} {endpoint.path} {ids} -> {reply.status} {reply.body[:80]!r}")

    assert offences == []
    assert await everything(theirs) == before


def sent(method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    if method != "GET":
        return {"json": parameters}
    return {"params": {f"{name}[]" if isinstance(each, list) else name: each for name, each in parameters.items()}}


def test_of_every_endpoint_it_is_known_how_to_ask() -> None:
    """A new kind of object belongs into `built` above."""
    known = {
        "account_id",
        "token_id",
        "agent_bot_id",
        "inbox_id",
        "contact_id",
        "conversation_id",
        "message_id",
        "label_id",
        "canned_response_id",
        "macro_id",
        "team_id",
        "role_id",
        "user_id",
    }
    known |= {"definition_id", "note_id", "filter_id", "import_id", "export_id"}
    known |= {"rule_id"}
    known |= {"definition_id"}
    known |= {"rule_id", "notification_id"}
    known |= {"slug", "category_id", "article_id"}
    known |= {"rule_id", "notification_id", "hook_id", "app_id", "dashboard_app_id", "campaign_id"}
    known |= {"webhook_id", "delivery_id", "inbox_identifier", "contact_identifier"}

    assert {name for each in [*OF_SOMETHING, *OF_CONTACTS] for name in names_in(each.path)} <= known


# --- kinds of caller


async def test_each_endpoint_lets_in_whom_it_names_and_nobody_else(ours: Site) -> None:
    given = ours.given
    world = given.world
    everybody = await people(ours)
    tokens: dict[str | None, Callers] = {
        everybody["administrator"].token: Callers.ADMINISTRATOR | PERSON,
        everybody["agent"].token: Callers.AGENT_ONLY | PERSON,
        everybody["bot"].token: BOT,
        everybody["operator's app"].token: PLATFORM_APP,
        None: Callers(0),
    }
    offences: list[str] = []
    for token, kind in tokens.items():
        for endpoint, method in called(WITH_TOKEN):
            reply = await Api(world, given.account_id, token).call(method, ours.path(endpoint) + UNREADABLE)
            expected = 400 if kind & endpoint.actors else 401
            if reply.status != expected:
                offences.append(f"{kind}: {method} {endpoint.path} -> {reply.status}, not {expected}")

    assert offences == []


@pytest.mark.promise("TK-6")
async def test_each_endpoint_takes_tokens_with_its_scope_and_no_other(ours: Site) -> None:
    given = ours.given
    world = given.world
    offences: list[str] = []
    for scope in (*SCOPES, "*", "nothing:read"):
        async with world.parts.database.transaction() as tx:
            user = await find_user_by_email(tx, given.boss.email)
            assert user is not None
            token = await auth.create_user_token(tx, world.keyring, user, scopes=[scope])
        for endpoint, method in called([each for each in WITH_TOKEN if each.actors & (Callers.ADMINISTRATOR | PERSON)]):
            reply = await Api(world, given.account_id, token).call(method, ours.path(endpoint) + UNREADABLE)
            area, _, kind = (endpoint.scope or "").partition(":")
            is_covered = scope in ("*", f"{area}:write") or (kind == "read" and scope == f"{area}:read")
            if reply.status != (400 if is_covered else 401):
                offences.append(f"{scope}: {method} {endpoint.path} ({endpoint.scope}) -> {reply.status}")

    assert len(SCOPES) > 10
    assert offences == []


@pytest.mark.parametrize("endpoint", WITH_TOKEN, ids=lambda endpoint: f"{endpoint.methods[0]} {endpoint.path}")
def test_each_endpoint_has_a_scope_that_says_whether_it_changes_anything(endpoint: Endpoint) -> None:
    assert endpoint.scope is not None
    assert re.fullmatch(r"[a-z_]+:(read|write)", endpoint.scope)
