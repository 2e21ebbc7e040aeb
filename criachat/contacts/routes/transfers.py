"""Imports and exports of contacts, over HTTP."""

from __future__ import annotations

from typing import Final

from criachat.contacts import access, jobs
from criachat.contacts.jobs import ExportContacts, ImportContacts
from criachat.contacts.operations import exporting, importing
from criachat.contacts.queries import transfers
from criachat.contacts.receiving import KeptImport
from criachat.contacts.schemas.transfers import (
    PLACE,
    ExportOut,
    ExportParams,
    ExportsOut,
    ImportOut,
    ImportParams,
    ImportsOut,
    export_out,
    import_out,
)
from criachat.kit.actors import ADMINISTRATOR, ANYONE, Actor
from criachat.kit.db import Database, Db, Tx
from criachat.kit.errors import NoSuchPage
from criachat.kit.files import Files
from criachat.kit.http.answers import Answer, Stream
from criachat.kit.http.routes import Routes
from criachat.kit.media import serving_headers

CSV: Final = "text/csv"

routes = Routes("/api/v1/accounts/{account_id}/contacts", tag="Contacts", scope="contacts")
file_routes = Routes(f"/{PLACE}", tag="Files")


@routes.post("/import", actors=ADMINISTRATOR, files=("import_file",))
async def import_contacts(tx: Tx, actor: Actor, kept: KeptImport, params: ImportParams) -> Answer:
    """Take in a file of contacts, soon. Columns that are not `identifier`, `email`, `phone_number` or `name` become
    custom attributes. `Location` leads to how far it has come."""
    key, delimiter = kept.taken()
    wanted = await importing.receive(tx, actor=actor, file_key=key, delimiter=delimiter)
    await jobs.import_later(tx, ImportContacts(wanted.account_id, wanted.id))
    return _begun(wanted.account_id, f"imports/{wanted.id}")


@routes.get("/imports", actors=ADMINISTRATOR)
async def list_imports(db: Db, actor: Actor, files: Files) -> ImportsOut:
    """The hundred newest imports, newest first."""
    return ImportsOut(payload=[import_out(each, files) for each in await transfers.list_imports(db, actor.account_id)])


@routes.get("/imports/{import_id}", actors=ADMINISTRATOR)
async def show_import(db: Db, actor: Actor, files: Files, import_id: int) -> ImportOut:
    """How far a file has been taken in."""
    return import_out(await access.load_import(db, actor, import_id), files)


@routes.post("/export", actors=ADMINISTRATOR)
async def export_contacts(tx: Tx, actor: Actor, params: ExportParams) -> Answer:
    """Have contacts written to a file; a link to it is sent to the caller. `Location` leads to how far it has come."""
    wanted = await exporting.ask_for(
        tx,
        columns=params.column_names or (),
        conditions=params.payload or (),
        label=params.label or None,
        actor=actor,
    )
    await jobs.export_later(tx, ExportContacts(wanted.account_id, wanted.id))
    return _begun(wanted.account_id, f"exports/{wanted.id}")


@routes.get("/exports", actors=ADMINISTRATOR)
async def list_exports(db: Db, actor: Actor, files: Files) -> ExportsOut:
    """The hundred newest exports, newest first."""
    return ExportsOut(payload=[export_out(each, files) for each in await transfers.list_exports(db, actor.account_id)])


@routes.get("/exports/{export_id}", actors=ADMINISTRATOR)
async def show_export(db: Db, actor: Actor, files: Files, export_id: int) -> ExportOut:
    """Whether a file is written, and where it is."""
    return export_out(await access.load_export(db, actor, export_id), files)


@file_routes.get("/{signed_id}/{filename}", actors=ANYONE)
async def download(database: Database, files: Files, signed_id: str) -> Stream:
    """A file of contacts behind its signed address, for as long as it is kept."""
    async with database.reading() as db:
        key = await _key_of(db, files, signed_id)
    if key is None:
        raise NoSuchPage
    headers = serving_headers(CSV, "contacts.csv")
    headers.pop("Content-Type")
    headers["Cache-Control"] = "private, no-store"
    return Stream(await files.open(key), content_type=CSV, headers=headers.items())


async def _key_of(db: Db, files: Files, signed_id: str) -> str | None:
    exported, rejected = (files.verify(signed_id, purpose=purpose) for purpose in ("export", "rejects"))
    if exported is not None:
        export = await transfers.find_export(db, exported.account_id, exported.id)
        return None if export is None or export.status != "completed" else export.file_key
    if rejected is not None:
        wanted = await transfers.find_import(db, rejected.account_id, rejected.id)
        return None if wanted is None else wanted.rejects_key
    return None


def _begun(account_id: int, place: str) -> Answer:
    return Answer(headers=(("Location", f"/api/v1/accounts/{account_id}/contacts/{place}"),))
