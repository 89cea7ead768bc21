# Hearth. On a new machine only python3 (3.11 or newer) is needed:
#   make run     serve on http://127.0.0.1:8080 with a development App
#   make test    run every test (installs what they need)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test lint bench clean lock proto

run: $(VENV)/.serve
	@exec $(BIN)/hearth serve $(ARGS)

test: $(VENV)/.develop
	@sh tests/install_tools.sh
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The Python code of the binary dialect's messages, checked in: run it after a change of the .proto file.
proto: $(VENV)/.develop
	$(BIN)/python -m grpc_tools.protoc -I $(PROTO) --python_out=$(PROTO) --pyi_out=$(PROTO) $(PROTO)/accesshub.proto
PROTO := signaling/accesshub/proto

bench: $(VENV)/.develop
	$(BIN)/python -m bench.sfu --fan 20 --mesh 10 --seconds 3 --against naive janus janus-loops
	$(BIN)/python -m bench.bridge --streams 2 --seconds 6
	$(BIN)/python -m bench.rtmp --players 100 --seconds 3 --rounds 2
	$(BIN)/python -m bench.cloud_api --seconds 2
	$(BIN)/python -m bench.signaling --short

clean:
	rm -rf $(VENV) build *.egg-info tests/e2e/node_modules tests/e2e/.work bench/.work
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The exact versions that are installed, with hashes. Needs uv (pip install uv); run it after a change of dependencies in pyproject.toml.
lock:
	uv pip compile pyproject.toml --extra build -o requirements.lock $(LOCK)
	uv pip compile pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock $(LOCK)
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet

# --- the virtual environment: made once, brought up to date when a lock file changes ---------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hearth needs Python 3.11 or newer; this is $$($(PYTHON) -V)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv; \
	  else echo "Python's venv module is missing: install python3-venv (Debian, Ubuntu: sudo apt-get install python3-venv)" >&2; exit 1; fi; }
	$(PYTHON) -m venv $(VENV)

# The two stamps are independent: .develop installs everything that .serve does.
$(VENV)/.serve: requirements.lock pyproject.toml | $(BIN)/python
	@if [ -e $(VENV)/.develop ] && [ ! requirements-dev.lock -nt $(VENV)/.develop ] && [ ! pyproject.toml -nt $(VENV)/.develop ]; then :; else \
	  echo "Installing Hearth into $(VENV): a minute or two, only this once"; \
	  $(INSTALL) -r requirements.lock && $(INSTALL_HEARTH); fi
	@touch $@

$(VENV)/.develop: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(INSTALL) -r requirements-dev.lock
	$(INSTALL_HEARTH)
	@touch $@

INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
INSTALL_HEARTH := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
