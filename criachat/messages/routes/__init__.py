"""Messages, over HTTP."""

from __future__ import annotations

from criachat.messages.routes import direct_uploads, files, importing, merging, messages, opening, threads, uploading

ROUTES = (
    opening.routes,
    merging.routes,
    messages.routes,
    importing.routes,
    threads.routes,
    uploading.routes,
    files.routes,
    direct_uploads.arrival_routes,
    direct_uploads.announcing_routes,
)
