#!/usr/bin/env python3
"""A small automation: hears of messages by webhook, and answers through the Application API.

It verifies the signature, ignores repetitions, and answers with an Idempotency-Key, so that whatever is sent twice is
answered once. It needs nothing but Python:

    CRIACHAT_TOKEN=cria_pat_… WEBHOOK_SECRET=… python3 examples/auto_reply.py 8090
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL = os.environ.get("CRIACHAT_URL", "http://127.0.0.1:3000")
TOKEN, SECRET = os.environ["CRIACHAT_TOKEN"], os.environ["WEBHOOK_SECRET"]
OLDEST_SECONDS = 300
TRIES = 5
answered: set[str] = set()


def is_genuine(headers: object, body: bytes) -> bool:
    """Whether CriaChat signed just these bytes, and not long ago."""
    timestamp, signature = headers["X-Chatwoot-Timestamp"] or "0", headers["X-Chatwoot-Signature"] or ""
    expected = hmac.digest(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hex()
    is_fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) < OLDEST_SECONDS
    return is_fresh and hmac.compare_digest(signature, f"sha256={expected}")


def answer(event: dict, delivery: str) -> None:
    """Say thank you; try again, later and later, while the server is busy or away."""
    account, conversation = event["account"]["id"], event["conversation"]["id"]
    request = urllib.request.Request(
        f"{URL}/api/v1/accounts/{account}/conversations/{conversation}/messages",
        data=json.dumps({"content": f"Thank you! We read: {event['content']}"}).encode(),
        headers={"api_access_token": TOKEN, "Content-Type": "application/json", "Idempotency-Key": delivery},
    )
    for attempt in range(TRIES):
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return
        except urllib.error.HTTPError as refusal:
            if refusal.code not in (409, 429) and refusal.code < 500:
                raise
            time.sleep(float(refusal.headers.get("Retry-After") or 2**attempt))
        except OSError:
            time.sleep(2**attempt)
    raise TimeoutError("CriaChat did not answer")


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 once a delivery is dealt with; anything else makes CriaChat send it again."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        delivery = self.headers["X-Chatwoot-Delivery"]
        if not is_genuine(self.headers, body):
            self.send_error(401)
            return
        event = json.loads(body)
        if event["event"] == "message_created" and event["message_type"] == "incoming" and delivery not in answered:
            answer(event, delivery)
        answered.add(delivery)
        self.send_response(200)
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
