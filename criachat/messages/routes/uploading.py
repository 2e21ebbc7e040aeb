"""Files sent ahead of what is to carry them, over HTTP."""

from __future__ import annotations

from criachat.kit.actors import AGENT, Actor
from criachat.kit.db import Tx
from criachat.kit.files import Blob, Files
from criachat.kit.http.routes import Routes
from criachat.messages.errors import NothingUploaded
from criachat.messages.operations import uploads
from criachat.messages.schemas import UploadOut, UploadParams
from criachat.messages.uploading import KeptFiles

routes = Routes("/api/v1/accounts/{account_id}/upload", tag="Messages", scope="messages")


@routes.post(actors=AGENT, files=("attachment",), limit="upload")
async def upload_file(tx: Tx, actor: Actor, files: Files, params: UploadParams, kept: KeptFiles) -> UploadOut:
    """Send a file, or the `external_url` it is to be fetched from, ahead of the messages, macros or rules that name it.

    Its `blob_id` is good for a day at least; a message that names it among its `attachments` carries a copy.
    """
    stored = kept.taken()
    if not stored:
        raise NothingUploaded
    upload = await uploads.keep_upload(tx, actor.account_id, stored[0])
    signed_id = files.signed_id(Blob(upload.account_id, upload.id), purpose="upload", valid_for=uploads.NAMED_FOR)
    return UploadOut(file_url=files.upload_url(signed_id, upload.filename), blob_id=signed_id)
