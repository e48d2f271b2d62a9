# make wall: see the wall.  make test: check everything.  make alone lists the rest.
PYTHON ?= python3
PORT ?= 8000
ARGS ?=
SECONDS_EACH ?= 60
FUZZERS ?= $(patsubst tests/fuzz/fuzz_%.py,%,$(wildcard tests/fuzz/fuzz_*.py))
WORKERS ?= 4
NPM_FOLDER ?= build/npm
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHAT_CLIENT := $(VENV)/chat/node_modules/socket.io-client/dist/socket.io.min.js

help:
	@echo "make wall    the example wall on http://127.0.0.1:$(PORT)/ (PORT=... for another port)"
	@echo "make chat    the example chat on the same port"
	@echo "make test    format, lint, types, unit, integration and browser tests (ARGS=tests/... for some)"
	@echo "make prove   the long runs: minutes of faults, large numbers"
	@echo "make matrix  the tests on each Python with each Django that this machine has"
	@echo "make bench   ratios against a control, interleaved in one run"
	@echo "make fuzz    strangers' bytes against the parsers (SECONDS_EACH=60, FUZZERS=...)"
	@echo "make npm     realtime.js as a package for npm, packed, in build/npm"
	@echo "make docs    these pages as a site, in docs/_build"
	@echo "make format  write the format that make test asks for"

$(READY): setup.py
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) (once, about a minute) ..."
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev,static]"
	@touch $(READY)

setup: $(READY)

wall: $(READY)
	@cd example_wall && ../$(BIN)/python manage.py migrate --verbosity 0
	@cd example_wall && ../$(BIN)/python manage.py shell --verbosity 0 -c "from project.demo import make_moderator; make_moderator($(PORT))"
	@cd example_wall && exec ../$(BIN)/python manage.py rungevent $(PORT)

# Kept, so that the next time needs no internet; without npm the pages take it from its CDN.
$(CHAT_CLIENT):
	@npm install --silent --no-save --ignore-scripts --no-audit --no-fund --prefix $(VENV)/chat socket.io-client@4.8.1 \
	  2>/dev/null || echo "Socket.IO's client could not be fetched: pages take it from its CDN, if there is internet."

chat: $(READY) $(CHAT_CLIENT)
	@cd example_chat && ../$(BIN)/python manage.py migrate --verbosity 0
	@cd example_chat && if [ -f ../$(CHAT_CLIENT) ]; then export CHAT_SOCKETIO_FOLDER="$(CURDIR)/$(dir $(CHAT_CLIENT))"; fi; exec ../$(BIN)/python manage.py rungevent $(PORT)

test: $(READY)
ifeq ($(ARGS),)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
# mypy takes one core: on the other, new tests are compiled once, which each worker would do for itself.
	$(BIN)/mypy & types=$$!; \
	  test -d tests/__pycache__ || $(BIN)/python -m pytest --collect-only -qq >/dev/null; wait $$types
	$(BIN)/python -m tests.rerun --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
else
	$(BIN)/python -m pytest $(ARGS)
endif

prove: $(READY)
	REALTIME_WALL_PROVE=1 $(BIN)/python -m pytest --timeout 3600 $(ARGS)

matrix: $(READY)
	$(BIN)/python -m tests.matrix $(ARGS)

bench: $(READY)
	$(BIN)/python -m bench $(ARGS)

fuzz: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris
	for what in $(FUZZERS); do \
	  $(BIN)/python -m tests.fuzz $$what --keep -max_total_time=$(SECONDS_EACH) $(ARGS) || exit 1; done

npm:
	@rm -rf $(NPM_FOLDER)/package && mkdir -p $(NPM_FOLDER) && cp -R npm $(NPM_FOLDER)/package
	@cp realtime_wall/static/realtime_wall/realtime.js $(NPM_FOLDER)/package/
	@cd $(NPM_FOLDER) && npm pack --silent ./package && rm -rf package

docs: $(READY)
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: help setup wall chat test prove matrix bench fuzz npm docs format
