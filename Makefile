# Set-up happens by itself: each stamp in .make/ is as new as what it was made from.
PYTHON ?= python3
BIN := .venv/bin
export PEERMEET_DATA ?= data
SOURCES := src tests bench migrations hatch_build.py

.PHONY: run demo test check fmt types property simulate mutants powers lock bench soak mixed lab fuzz pictures web clean system
.DELETE_ON_ERROR:

run: .make/runtime .make/web  ## start the server and print two links
	$(BIN)/peermeet serve

demo: .make/runtime .make/web  ## the same, with five robots in the circle
	$(BIN)/peermeet serve --robots 5

test: .make/system .make/dev .make/web check  ## everything a change must pass
	cd web && npm test --silent
	$(BIN)/pytest $(PYTEST)

check: .make/dev .make/web
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd web && npm run types --silent -- --check && npm run check --silent

fmt: .make/dev .make/npm
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)
	cd web && npm run fmt --silent

types: .make/dev .make/npm  ## the client's types from the server's messages
	cd web && npm run types --silent

bench: .make/system .make/dev .make/web  ## figures into bench/latest.json, under ten minutes
	$(BIN)/python -m bench

lab: .make/system .make/dev .make/web  ## every bad line into docs/performance.md, as root, ten minutes
	PEERMEET_LAB=1 $(BIN)/pytest --timeout 600 -rA tests/lab

mixed: .make/system .make/dev .make/web  ## Chromium and Firefox in one encrypted circle, five minutes
	PEERMEET_MIXED_S=300 $(BIN)/pytest tests/browser/test_mixed.py

soak: .make/dev  ## 2,000 joins, then an hour of a circle (PEERMEET_SOAK_MINUTES)
	$(BIN)/python -m bench.soak

fuzz: .make/dev .make/fuzz  ## a million inputs for each parser (PEERMEET_FUZZ_RUNS), half an hour or more
	$(BIN)/python -m tests.fuzz

pictures: .make/system .make/dev .make/web  ## the handbook's pictures, about a minute
	$(BIN)/python -m tests.browser.pictures docs/pictures

property: .make/dev  ## the rules under 200,000 random steps; takes about two minutes
	PEERMEET_STEPS=200000 $(BIN)/pytest --timeout 3600 tests/core/test_properties.py

mutants: .make/dev  ## does a test notice when a rule is broken? about half an hour
	$(BIN)/python -m tests.mutants

powers: .make/dev  ## the table of roles in docs/facilitating.md, from the code
	$(BIN)/python -m tests.docs.test_powers

simulate: .make/dev  ## a million bad days of a server (PEERMEET_SCHEDULES), or one (PEERMEET_SEED)
	PEERMEET_SCHEDULES=$${PEERMEET_SCHEDULES:-1000000} $(BIN)/pytest --timeout 21600 tests/simulation/test_schedules.py

lock: .make/dev
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --constraints requirements-dev.lock --extra fuzz pyproject.toml -o requirements-fuzz.lock

web: .make/web
system: .make/system

clean:
	rm -rf .venv .make web/node_modules src/peermeet/web src/peermeet/media/_fanout.*

.make/system: scripts/system
	@mkdir -p .make
	scripts/system
	@touch $@

.make/venv:
	@mkdir -p .make
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed."; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "Run: apt-get install python3-venv"; exit 1; }
	@touch $@

PIP := $(BIN)/pip install --quiet --disable-pip-version-check
ITSELF := $(PIP) --no-deps --no-build-isolation --editable .

LOOP := hatch_build.py src/peermeet/media/fanout.h $(wildcard src/peermeet/media/*.c)

.make/runtime: .make/venv requirements.lock pyproject.toml $(LOOP)
	@test -e .make/dev || { $(PIP) --require-hashes -r requirements.lock && $(ITSELF); }
	@touch $@

.make/dev: .make/venv requirements-dev.lock pyproject.toml $(LOOP)
	@$(PIP) --require-hashes -r requirements-dev.lock && $(ITSELF)
	@touch $@ .make/runtime

.make/fuzz: .make/dev requirements-fuzz.lock
	@$(PIP) --require-hashes -r requirements-fuzz.lock
	@touch $@

.make/npm: web/package.json web/package-lock.json
	@mkdir -p .make
	@command -v npm > /dev/null || { echo "Node 20 or newer with npm is needed."; exit 1; }
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.make/web: .make/npm web/index.html web/vite.config.ts $(shell find web/src web/public -type f 2>/dev/null)
	cd web && npm run build --silent
	@touch $@
