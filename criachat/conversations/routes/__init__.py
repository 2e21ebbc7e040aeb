"""Conversations, over HTTP."""

from __future__ import annotations

from criachat.conversations.routes import bulk, drafts, listing, one, participants

ROUTES = (listing.routes, listing.contact_routes, one.routes, participants.routes, drafts.routes, bulk.routes)
