"""Searches, over HTTP."""

from __future__ import annotations

from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Db
from criachat.kit.http.routes import Routes
from criachat.kit.paging import page_of
from criachat.search import access
from criachat.search.hits import known_of
from criachat.search.schemas import HitsOut, SearchOut, SearchParams, article_hit_out, contact_hit_out
from criachat.users.shown import Shown

routes = Routes("/api/v1/accounts/{account_id}/search", tag="Search", scope="search")


@routes.get(actors=AGENT)
async def search_everything(db: Db, actor: Actor, shown: Shown, params: SearchParams) -> SearchOut:
    """The same page of conversations, contacts, messages and articles with `q`."""
    wanted = access.wanted(actor, params.q, page_of(params.page))
    hits = await access.list_conversations(db, wanted)
    message_ids = await access.list_messages(db, wanted)
    contacts = await access.list_contacts(db, wanted)
    known = await known_of(db, actor, shown, hits, message_ids)
    return SearchOut(
        HitsOut(
            conversations=known.conversations(hits, has_attributes=False),
            contacts=[contact_hit_out(each) for each in contacts],
            messages=known.messages(message_ids),
            articles=[article_hit_out(each) for each in await access.list_articles(db, wanted)],
        )
    )


@routes.get("/conversations", actors=AGENT)
async def search_conversations(db: Db, actor: Actor, shown: Shown, params: SearchParams) -> SearchOut:
    """Conversations, of every status, of contacts with `q` in name, e-mail, phone number or identifier, or with that
    number; newest first."""
    hits = await access.list_conversations(db, access.wanted(actor, params.q, page_of(params.page)))
    known = await known_of(db, actor, shown, hits, [])
    return SearchOut(HitsOut(conversations=known.conversations(hits, has_attributes=True)))


@routes.get("/contacts", actors=AGENT)
async def search_contacts(db: Db, actor: Actor, params: SearchParams) -> SearchOut:
    """Contacts one could write to with `q` in name, e-mail, phone number or identifier; those last active first."""
    found = await access.list_contacts(db, access.wanted(actor, params.q, page_of(params.page)))
    return SearchOut(HitsOut(contacts=[contact_hit_out(each) for each in found]))


@routes.get("/messages", actors=AGENT)
async def search_messages(db: Db, actor: Actor, shown: Shown, params: SearchParams) -> SearchOut:
    """Messages of the last three months that say `q`, notes and activities as well, newest first.

    Less than three letters or digits in a row are looked for in the newest 20,000 messages.
    """
    message_ids = await access.list_messages(db, access.wanted(actor, params.q, page_of(params.page)))
    known = await known_of(db, actor, shown, [], message_ids)
    return SearchOut(HitsOut(messages=known.messages(message_ids)))


@routes.get("/articles", actors=AGENT)
async def search_articles(db: Db, actor: Actor, params: SearchParams) -> SearchOut:
    """Articles of every status with all words of `q`, or words that begin like them; what fits best first."""
    found = await access.list_articles(db, access.wanted(actor, params.q, page_of(params.page)))
    return SearchOut(HitsOut(articles=[article_hit_out(each) for each in found]))
