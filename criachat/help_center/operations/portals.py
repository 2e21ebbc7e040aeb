"""Making, changing and removing portals."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from criachat.accounts.operations import take_turn
from criachat.help_center import access, rules
from criachat.help_center.errors import DomainTaken, LogoMissing, SlugTaken, TooManyPortals
from criachat.help_center.models import MOST_PORTALS, PORTAL_DOMAIN, PORTAL_SLUG, Portal
from criachat.help_center.queries import portals
from criachat.help_center.schemas import PortalParams
from criachat.inboxes import access as inboxes
from criachat.inboxes.models import WEBSITE
from criachat.kit import directory
from criachat.kit.actors import Actor
from criachat.kit.db import Tx
from criachat.kit.errors import NotFound
from criachat.kit.files import Files
from criachat.kit.http.binding import id_of
from criachat.messages import access as messages
from criachat.messages.operations.uploads import hold_uploads, release_uploads

PICTURE = "image"


async def create_portal(tx: Tx, files: Files, params: PortalParams, *, actor: Actor) -> Portal:
    """A new portal; nothing is in it yet."""
    sent = rules.sent_of_portal(params, is_new=True)
    slug = sent["slug"]
    await take_turn(tx, actor.account_id)
    if await portals.count_portals(tx, actor.account_id) >= MOST_PORTALS:
        raise TooManyPortals
    if await directory.find(tx, PORTAL_SLUG, slug) is not None:
        raise SlugTaken
    await portals.insert_portal(
        tx,
        actor.account_id,
        name=sent["name"],
        slug=slug,
        allowed_locales=sent["allowed_locales"],
        default_locale=sent["default_locale"],
    )
    portal = await access.load_portal(tx, actor, slug)
    await directory.register(tx, PORTAL_SLUG, slug, portal.account_id, portal.id)
    return await change_portal(tx, files, portal, params, actor=actor)


async def change_portal(tx: Tx, files: Files, portal: Portal, params: PortalParams, *, actor: Actor) -> Portal:
    """Change what was sent. Under another slug it is found at once, and no longer under the old one."""
    changed = await _changed(tx, files, portal, params)
    if changed == portal:
        return portal
    if changed.slug != portal.slug:
        await _lead_to(tx, portal, PORTAL_SLUG, changed.slug, SlugTaken)
    if changed.custom_domain != portal.custom_domain:
        await _lead_to(tx, portal, PORTAL_DOMAIN, changed.custom_domain, DomainTaken)
    await _save(tx, portal, changed)
    return await access.load_portal(tx, actor, changed.slug)


async def remove_logo(tx: Tx, portal: Portal) -> None:
    """Show no picture any more."""
    await _save(tx, portal, msgspec.structs.replace(portal, logo_upload_id=None))


async def delete_portal(tx: Tx, portal: Portal) -> None:
    """Remove it with its categories and articles; inboxes that lead to it lead nowhere."""
    await remove_logo(tx, portal)
    for kind in (PORTAL_SLUG, PORTAL_DOMAIN):
        await directory.forget(tx, kind, portal.account_id, portal.id)
    await portals.delete_portal(tx, portal)


async def _changed(tx: Tx, files: Files, portal: Portal, params: PortalParams) -> Portal:
    sent = rules.sent_of_portal(params)
    if params.blob_id:
        sent["logo_upload_id"] = await _logo(tx, files, portal, params.blob_id)
    if params.inbox_id is not UNSET:
        sent["inbox_id"] = await _website(tx, portal, params.inbox_id)
    return msgspec.structs.replace(portal, **sent)


async def _logo(tx: Tx, files: Files, portal: Portal, blob_id: str) -> int:
    """The picture that was uploaded; kept for good from now on."""
    blob = files.verify(blob_id, purpose="upload")
    if blob is None or blob.account_id != portal.account_id:
        raise LogoMissing
    upload = await messages.find_upload(tx, portal.account_id, blob.id)
    if upload is None or upload.file_type != PICTURE or not await hold_uploads(tx, portal.account_id, [blob.id]):
        raise LogoMissing
    return blob.id


async def _website(tx: Tx, portal: Portal, said: int | str | None) -> int | None:
    """The website inbox that is to be shown on its pages; other kinds of inbox change nothing."""
    if said is None or said == "":
        return None
    inbox = await inboxes.find_inbox(tx, portal.account_id, id_of(str(said)) or 0)
    if inbox is None:
        raise NotFound
    return inbox.id if inbox.channel_type == WEBSITE else portal.inbox_id


async def _lead_to(
    tx: Tx, portal: Portal, kind: str, key: str | None, taken: type[SlugTaken] | type[DomainTaken]
) -> None:
    if key is not None and await directory.find(tx, kind, key) is not None:
        raise taken
    await directory.forget(tx, kind, portal.account_id, portal.id)
    if key is not None:
        await directory.register(tx, kind, key, portal.account_id, portal.id)


async def _save(tx: Tx, before: Portal, after: Portal) -> None:
    """Write what it became, and let go of a picture that no portal shows any more."""
    await portals.save_portal(tx, after)
    old = before.logo_upload_id
    if old is not None and old != after.logo_upload_id and not await portals.has_other_with_logo(tx, before):
        await release_uploads(tx, before.account_id, [old])
