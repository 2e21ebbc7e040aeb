# Everything a developer or operator does here, one word each: `make help` lists them.
# Needs Python 3.11 or newer with its venv module, and make; all else is installed into .venv from the locks.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
T ?= tests

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup run check lint test quick migrate bench faults docs examples demo lock

help: ## list what can be made
	@sed -nE 's/^([a-z]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do \
		printf '  make %-9s %s\n' "$$name" "$$what"; done

setup: $(VENV)/.development ## install what development needs into .venv

run: $(VENV)/.runtime ## install what running needs, then start CriaChat
	@exec $(BIN)/criachat serve

check: lint test ## run all that CI runs: format, lint, types, imports, tests

lint: $(VENV)/.development ## check format, style, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo

test: $(VENV)/.development ## run the tests, or those of a path: make test T=tests/kit
	@$(BIN)/python -m pytest $(T)

quick: $(VENV)/.development ## run the tests of what differs from main, and those of the rules of the house
	@$(BIN)/python -m pytest $$($(BIN)/python tests/touched.py)

migrate: $(VENV)/.runtime ## bring the database to what this version needs
	@exec $(BIN)/criachat migrate

bench: $(VENV)/.development ## measure the promises of docs/performance.md
	@$(BIN)/python -m bench

faults: $(VENV)/.development ## run the fault and history tests, and write docs/faults.md; takes half an hour
	@FAULTS_PAGE=write $(BIN)/python -m pytest --override-ini addopts= --override-ini timeout=1800 --strict-markers -ra \
		tests/faults tests/kit/test_relay.py

docs: $(VENV)/.development ## write the generated parts of docs/
	@exec $(BIN)/criachat docs

# The contract tests call nearly all endpoints; the others call what those leave out.
examples: $(VENV)/.development ## record the examples of the API reference from the tests; takes some minutes
	@$(BIN)/python -m pytest --record-examples criachat/examples.json $(addprefix tests/, $(addsuffix .py, \
		accounts/test_routes auth/test_account_tokens auth/test_mails auth/test_routes auth/test_second_factor \
		auth/test_sign_up contacts/test_avatars contacts/test_exports contacts/test_imports contacts/test_merging) \
		contract $(addsuffix .py, conversations/test_describing conversations/test_finding_or_opening \
		csat/test_routes help_center/test_portals inboxes/test_channels inboxes/test_limits kit/test_status \
		messages/test_attachments messages/test_composing messages/test_importing users/test_custom_roles))

demo: $(VENV)/.runtime ## fill a sample account, then start CriaChat
	@$(BIN)/criachat demo
	@exec $(BIN)/criachat serve

lock: $(VENV)/.development ## write the locks after a change of pyproject.toml; the newest versions: make lock UPGRADE=1
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m uv pip compile $(LOCKING) --group build --output-file requirements.lock pyproject.toml
	$(BIN)/python -m uv pip compile $(LOCKING) --group build --group dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

LOCKING := --quiet $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header

# A virtual environment serves both; development's lock is a superset. Each is redone only when its lock changes.
$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) .install LOCK=requirements.lock
	@touch $@

$(VENV)/.development: requirements-dev.lock pyproject.toml
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) .install LOCK=requirements-dev.lock
	@touch $@ $(VENV)/.runtime

.PHONY: .install
.install:
	@command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON). Install Python 3.11 or newer (Debian, Ubuntu: apt install python3 python3-venv)," \
		"or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$($(PYTHON) --version) is too old: CriaChat needs Python 3.11 or newer." \
		"Install one and name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$$($(PYTHON) --version) has no venv module. Debian, Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing $(LOCK) into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement $(LOCK)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
