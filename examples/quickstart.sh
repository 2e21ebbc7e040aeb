#!/usr/bin/env bash
# The whole path of an integration, with curl: profile, inbox, contact, conversation, message, label, webhook; then a
# customer's app writes through the Client API, and reads the answer.
#
#   CRIACHAT_TOKEN=cria_pat_… examples/quickstart.sh
#
# CRIACHAT_URL      where CriaChat is; http://127.0.0.1:3000 when unset
# CRIACHAT_TOKEN    an access token of an administrator: the one the first start shows, or `criachat token create`
# WEBHOOK_URL       who is told of events. For a receiver on this machine start CriaChat with
#                   CRIACHAT_ALLOWED_PRIVATE_HOSTS=127.0.0.1: without it no webhook reaches a private address.
#
# What it made is printed as the last line, in JSON, so that other programs can go on from there.
set -euo pipefail

URL=${CRIACHAT_URL:-http://127.0.0.1:3000}
WEBHOOK_URL=${WEBHOOK_URL:-https://example.com/criachat}
: "${CRIACHAT_TOKEN:?set it to an access token, see the head of this file}"
RUN=$(date +%s)-$$

say() { printf '\n— %s\n' "$*" >&2; }

# call METHOD PATH [JSON]: the answer, or an end with what went wrong. The key makes every write safe to repeat.
call() {
  local method=$1 path=$2 body=${3:-}
  curl --silent --show-error --fail-with-body --request "$method" "$URL$path" \
    --header "api_access_token: $CRIACHAT_TOKEN" \
    --header "Content-Type: application/json" \
    --header "Idempotency-Key: quickstart-$RUN-$method-$path" \
    --retry 3 --retry-connrefused \
    ${body:+--data "$body"}
}

# customer METHOD PATH [JSON]: the same for the customer's app, which has no token at all.
customer() {
  local method=$1 path=$2 body=${3:-}
  curl --silent --show-error --fail-with-body --request "$method" "$URL/public/api/v1/inboxes/$IDENTIFIER/contacts$path" \
    --header "Content-Type: application/json" ${body:+--data "$body"}
}

# pick EXPRESSION: one value out of the JSON on standard input, e.g. pick '["payload"]["id"]'
pick() { python3 -c "import json, sys; print(json.load(sys.stdin)$1)"; }

say "Who am I?"
PROFILE=$(call GET /api/v1/profile)
ACCOUNT=$(pick '["account_id"]' <<<"$PROFILE")
echo "$(pick '["name"]' <<<"$PROFILE"), account $ACCOUNT" >&2
BASE=/api/v1/accounts/$ACCOUNT

say "An API inbox, for an app of our own"
INBOX=$(call POST "$BASE/inboxes" '{"name": "Quickstart app", "channel": {"type": "api"}}')
INBOX_ID=$(pick '["id"]' <<<"$INBOX")
IDENTIFIER=$(pick '["inbox_identifier"]' <<<"$INBOX")
echo "inbox $INBOX_ID, known to apps as $IDENTIFIER" >&2

say "A webhook that is told of messages"
WEBHOOK=$(call POST "$BASE/webhooks" \
  "{\"webhook\": {\"url\": \"$WEBHOOK_URL?run=$RUN\", \"subscriptions\": [\"message_created\", \"conversation_status_changed\"]}}")
WEBHOOK_ID=$(pick '["payload"]["webhook"]["id"]' <<<"$WEBHOOK")
SECRET=$(pick '["payload"]["webhook"]["secret"]' <<<"$WEBHOOK")
echo "webhook $WEBHOOK_ID; its secret verifies signatures, see examples/auto_reply.py" >&2

say "A contact"
CONTACT=$(call POST "$BASE/contacts" "{\"name\": \"Rosa Lind\", \"email\": \"rosa.$RUN@example.net\", \"inbox_id\": $INBOX_ID}")
CONTACT_ID=$(pick '["payload"]["contact"]["id"]' <<<"$CONTACT")
SOURCE_ID=$(pick '["payload"]["contact_inbox"]["source_id"]' <<<"$CONTACT")
echo "contact $CONTACT_ID" >&2

say "A conversation, and a first message"
CONVERSATION=$(call POST "$BASE/conversations" \
  "{\"source_id\": \"$SOURCE_ID\", \"inbox_id\": $INBOX_ID, \"contact_id\": $CONTACT_ID}")
CONVERSATION_ID=$(pick '["id"]' <<<"$CONVERSATION")
call POST "$BASE/conversations/$CONVERSATION_ID/messages" '{"content": "Olá, Rosa! Como podemos ajudar?"}' >/dev/null
echo "conversation $CONVERSATION_ID" >&2

say "A label on it"
call POST "$BASE/labels" "{\"title\": \"quickstart-$RUN\", \"color\": \"#1f93ff\"}" >/dev/null
call POST "$BASE/conversations/$CONVERSATION_ID/labels" "{\"labels\": [\"quickstart-$RUN\"]}" >/dev/null
echo "quickstart-$RUN" >&2

say "The customer writes from their own app"
customer POST "/$SOURCE_ID/conversations/$CONVERSATION_ID/messages" '{"content": "Is my order shipped?"}' >/dev/null
customer GET "/$SOURCE_ID/conversations/$CONVERSATION_ID/messages" |
  python3 -c 'import json, sys; [print("  " + message["content"]) for message in json.load(sys.stdin)]' >&2

say "Done. What is there now:"
printf '{"account_id": %s, "inbox_id": %s, "inbox_identifier": "%s", "contact_id": %s, "source_id": "%s", ' \
  "$ACCOUNT" "$INBOX_ID" "$IDENTIFIER" "$CONTACT_ID" "$SOURCE_ID"
printf '"conversation_id": %s, "webhook_id": %s, "webhook_secret": "%s"}\n' "$CONVERSATION_ID" "$WEBHOOK_ID" "$SECRET"
