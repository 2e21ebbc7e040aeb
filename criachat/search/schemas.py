"""What was found, on the wire."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from criachat.conversations.models import Conversation
from criachat.kit.times import unix
from criachat.messages.schemas import MessageOut
from criachat.search.models import FoundArticle, FoundContact

ARTICLE_STATUSES = ("draft", "published", "archived")


class SearchParams(msgspec.Struct, kw_only=True):
    """What to look for: texts that contain `q`, whatever stands around it; `page` counts from 1."""

    q: str | None = None
    page: Any = None


class ContactHitOut(msgspec.Struct, frozen=True, kw_only=True):
    """A contact that was found."""

    email: str | None
    id: int
    name: str | None
    phone_number: str | None
    identifier: str | None
    additional_attributes: dict[str, Any]
    last_activity_at: int | None


class InboxHitOut(msgspec.Struct, frozen=True, kw_only=True):
    """The inbox of a conversation that was found."""

    id: int
    channel_id: int
    name: str
    channel_type: str


class AgentHitOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever has a conversation that was found."""

    id: int
    available_name: str
    email: str
    name: str
    role: str | None


class ConversationHitOut(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that was found, with its first message; `id` is the number people see."""

    id: int
    account_id: int
    created_at: int
    message: MessageOut | UnsetType = UNSET
    contact: ContactHitOut
    inbox: InboxHitOut
    agent: AgentHitOut | UnsetType = UNSET
    additional_attributes: dict[str, Any] | UnsetType = UNSET


class ArticleHitOut(msgspec.Struct, frozen=True, kw_only=True):
    """An article that was found."""

    id: int
    title: str
    locale: str
    content: str
    slug: str
    portal_slug: str
    account_id: int
    category_name: str | None
    status: str
    updated_at: int


class HitsOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what was found of each kind that was asked for."""

    conversations: list[ConversationHitOut] | UnsetType = UNSET
    contacts: list[ContactHitOut] | UnsetType = UNSET
    messages: list[MessageOut] | UnsetType = UNSET
    articles: list[ArticleHitOut] | UnsetType = UNSET


class SearchOut(msgspec.Struct, frozen=True):
    """What was found; a page that is not full is the last one."""

    payload: HitsOut


def contact_hit_out(contact: FoundContact) -> ContactHitOut:
    """A contact as a search shows them."""
    return ContactHitOut(
        email=contact.email,
        id=contact.id,
        name=contact.name,
        phone_number=contact.phone_number,
        identifier=contact.identifier,
        additional_attributes=contact.additional_attributes,
        last_activity_at=None if contact.last_activity_at is None else unix(contact.last_activity_at),
    )


def article_hit_out(article: FoundArticle) -> ArticleHitOut:
    """An article as a search shows it."""
    return ArticleHitOut(
        id=article.id,
        title=article.title,
        locale=article.locale,
        content=article.content,
        slug=article.slug,
        portal_slug=article.portal_slug,
        account_id=article.account_id,
        category_name=article.category_name,
        status=ARTICLE_STATUSES[article.status],
        updated_at=unix(article.updated_at),
    )


def conversation_hit_out(
    conversation: Conversation, *, channel_id: int, message: MessageOut | None, has_attributes: bool
) -> ConversationHitOut:
    """A conversation as a search shows it."""
    return ConversationHitOut(
        id=conversation.display_id,
        account_id=conversation.account_id,
        created_at=unix(conversation.created_at),
        message=UNSET if message is None else message,
        contact=_contact_of(conversation),
        inbox=InboxHitOut(
            id=conversation.inbox_id,
            channel_id=channel_id,
            name=conversation.inbox_name,
            channel_type=conversation.channel_type,
        ),
        agent=_agent_of(conversation),
        additional_attributes=conversation.additional_attributes if has_attributes else UNSET,
    )


def _contact_of(conversation: Conversation) -> ContactHitOut:
    last_activity_at = conversation.contact_last_activity_at
    return ContactHitOut(
        email=conversation.contact_email,
        id=conversation.contact_id,
        name=conversation.contact_name,
        phone_number=conversation.contact_phone_number,
        identifier=conversation.contact_identifier,
        additional_attributes=conversation.contact_additional_attributes,
        last_activity_at=None if last_activity_at is None else unix(last_activity_at),
    )


def _agent_of(conversation: Conversation) -> AgentHitOut | UnsetType:
    if conversation.assignee_id is None or conversation.assignee_name is None:
        return UNSET
    return AgentHitOut(
        id=conversation.assignee_id,
        available_name=conversation.assignee_display_name or conversation.assignee_name,
        email=conversation.assignee_email or "",
        name=conversation.assignee_name,
        role=conversation.assignee_role,
    )
