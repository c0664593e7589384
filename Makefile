# Two commands do everything: `make serve` and `make test`. `make help` lists the rest.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# Other pytest plugins, which would change the project's own runs. Tests find it beside the first one.
COMPAT := $(VENV)-compat
# The tools that teams run on the OpenAPI documents, as far as they are in Python.
TOOLS := $(VENV)-tools
# Node.js comes with the test tools, so that nothing else needs to be installed.
NODE := PATH="$(abspath $(BIN)):$$PATH"
WRK ?= $(shell command -v wrk || echo /usr/bin/wrk)
JAVA ?= $(shell command -v java || echo /usr/bin/java)
REDIS ?= $(shell command -v redis-server || echo /usr/bin/redis-server)
NGINX ?= $(shell command -v nginx || echo /usr/sbin/nginx)
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || echo /usr/bin/chromium)
FUZZ_SEED ?= 20260118
# Seconds of `make soak`.
DURATION ?= 600
# Processes of the pytest suite; they share one server. JOBS=0 runs all tests in one process.
JOBS ?= 2
# In small portions, so that no process ends with a queue of slow tests.
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --maxschedchunk 2
# Their tests take minutes once they are installed; `make tools` runs them.
WITHOUT_TOOLS := --ignore tests/tools
# Percent of stubserver/ that the traced tests must reach: what they reach today.
COVERAGE ?= 98
export PYTHONWARNINGS ?= ignore
# Some container images set it; then each of the many processes compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help serve quick test lint unit client newest tools fuzz-gate stores java engines npm test-browser inspector test-inspector fuzz bench bench-quick bench-growth bench-worlds bench-stores bench-start bench-profile mutants soak dist docs lock clean

help: ## List these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

serve: $(VENV)/serve.stamp ## Serve the API on http://127.0.0.1:8765 (options: ARGS="--port 0 ...")
	@$(BIN)/stubserver serve $(ARGS)

quick: lint ## Check style and types and run the fast tests, in under a minute (ARGS="tests/contract" runs only those)
	$(if $(ARGS),$(BIN)/python -m pytest $(ARGS),$(PYTEST) --no-http -m "not slow and not long")

test: lint unit client fuzz-gate ## Run every test: style, types, pytest with coverage, the vendor's client, the fuzz gate

lint: $(VENV)/dev.stamp ## Check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The tracer of coverage doubles the time of whatever it sees, so it sees the first cases of each test only. They ask
# one server over HTTP; all further cases ask a server in their own process.
unit: $(VENV)/dev.stamp $(COMPAT)/stamp ## Run the pytest suite with coverage (ARGS="-k name ..." runs part of it, without coverage)
ifdef ARGS
	$(PYTEST) $(ARGS)
else
	$(BIN)/coverage erase
	$(subst python -m pytest,coverage run -m pytest,$(PYTEST)) --part traced $(WITHOUT_TOOLS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=$(COVERAGE)
	$(PYTEST) --no-http --part rest $(WITHOUT_TOOLS)
endif

client: tests/node/node_modules/stamp ## Drive every method of the vendor's npm client against the server
	cd tests/node && $(NODE) npm test

# The pinned versions come back with the next `make client` and `make test-browser`, which find no stamp.
newest: tests/node/node_modules/stamp examples/react/node_modules/stamp $(CHROMIUM) ## Test with the newest client and pages of the vendor, for a job of its own
	rm tests/node/node_modules/stamp examples/react/node_modules/stamp
	cd tests/node && $(NODE) npm install --no-save --silent @selfcommunity/api-services@latest
	cd examples/react && $(NODE) npm install --no-save --silent \
		$(patsubst %,@selfcommunity/%@latest,react-ui react-core utils)
	cd tests/node && $(NODE) npm ls @selfcommunity/api-services && $(NODE) npm test
	cd examples/react && $(NODE) npm ls @selfcommunity/react-ui && $(NODE) CHROMIUM=$(CHROMIUM) npm test

stores: $(VENV)/dev.stamp tests/node/node_modules/stamp $(REDIS) $(NGINX) ## Run the suite, the vendor's client and the fuzz gate on two processes that share SQLite, then Redis (30 minutes)
	for store in sqlite redis; do \
		$(NODE) $(BIN)/python -m tests.sharing $$store suite && \
		$(NODE) $(BIN)/python -m tests.sharing $$store client && \
		$(BIN)/python -m tests.sharing $$store fuzz --seed $(FUZZ_SEED) || exit 1; \
	done

java: $(JAVA) ## Install Java, if there is none, so that its HTTP client is among those of `make test`

engines: $(REDIS) $(NGINX) ## Install Redis and nginx, if there are none, so that `make test` runs servers with both

tools: tests/tools/node_modules/stamp $(TOOLS)/stamp tests/node/node_modules/stamp $(JAVA) ## Run the generators and checkers that teams use on the OpenAPI documents (ARGS="-k orval ..." runs some)
	$(PYTEST) tests/tools $(ARGS)

test-browser: examples/react/node_modules/stamp test-inspector ## Drive the vendor's React pages and the inspector in headless Chromium
	cd examples/react && $(NODE) CHROMIUM=$(CHROMIUM) npm test

npm: examples/vite-app/node_modules/stamp $(CHROMIUM) ## Build and test the npm package of clients/js, and the Vite application in examples/
	cd clients/js && $(NODE) CHROMIUM=$(CHROMIUM) npm test
	$(NODE) CHROMIUM=$(CHROMIUM) $(BIN)/python -m pytest tests/clients
	cd examples/vite-app && $(NODE) CHROMIUM=$(CHROMIUM) npm test

test-inspector: clients/inspector/node_modules/stamp $(CHROMIUM) ## Drive the inspector in headless Chromium; axe looks at it, pictures are in clients/inspector/screenshots
	cd clients/inspector && $(NODE) CHROMIUM=$(CHROMIUM) npm test

inspector: clients/inspector/node_modules/stamp ## Build the inspector from clients/inspector into stubserver/pages/inspector
	cd clients/inspector && $(NODE) npm run --silent build

fuzz-gate: $(VENV)/dev.stamp ## Run Schemathesis with the fixed seed of CI
	$(BIN)/python -m tests.fuzz.gate --seed $(FUZZ_SEED)

fuzz: $(VENV)/dev.stamp ## Fuzz for ten minutes with a fresh seed, which is printed
	$(BIN)/python -m tests.fuzz.gate --max-time 600 $(ARGS)

soak: $(VENV)/dev.stamp ## Load one server with everything at once for ten minutes, and judge it (DURATION=60 takes a minute)
	$(BIN)/python -m tests.soak --duration $(DURATION) $(ARGS)

bench: $(VENV)/bench.stamp benchmarks/peers/node_modules/stamp $(WRK) $(JAVA) ## Compare with other stub servers (an hour)
	$(NODE) WRK=$(WRK) JAVA=$(JAVA) $(BIN)/python -m benchmarks.compare $(ARGS)

bench-quick: $(VENV)/bench.stamp $(WRK) ## Compare with the stored figures of earlier code, and fail if it was faster by a tenth (2 minutes)
	WRK=$(WRK) $(BIN)/python -m benchmarks.quick $(ARGS)

bench-growth: $(VENV)/bench.stamp $(WRK) ## Measure what large worlds cost (4 minutes)
	WRK=$(WRK) $(BIN)/python -m benchmarks.growth $(ARGS)

bench-worlds: $(VENV)/dev.stamp ## Measure what many worlds cost (3 minutes)
	$(BIN)/python -m benchmarks.worlds $(ARGS)

bench-stores: $(VENV)/bench.stamp $(WRK) ## Measure what stores of worlds cost, beside worlds in memory (10 minutes; `make engines` first)
	WRK=$(WRK) $(BIN)/python -m benchmarks.stores $(ARGS)

bench-start: $(VENV)/dev.stamp ## Show where the time of a start goes
	$(BIN)/python -m benchmarks.start

bench-profile: $(VENV)/dev.stamp ## Show where the microseconds of a GET, a PUT and a lap through a lesson go
	$(BIN)/python -m benchmarks.profile

dist: $(VENV)/dev.stamp ## Build wheel and sdist twice, compare, install and start each; writes dist/ with SHA256SUMS (2 minutes)
	$(BIN)/python -m tests.dist

docs: $(VENV)/dev.stamp ## Regenerate derived documents (tables of operations, rules and permissions, DECISIONS.md)
	$(BIN)/python -m tests.docs

mutants: $(VENV)/dev.stamp ## Break the rules in many small ways and count which breaks the tests notice (15 minutes)
	$(BIN)/mutmut run
	$(BIN)/mutmut results

lock: $(VENV)/dev.stamp ## Regenerate the lock files
	$(BIN)/pip-compile -q --upgrade --no-emit-index-url --no-emit-find-links --no-header --strip-extras \
		-o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --upgrade --extra dev -c requirements.lock --no-emit-index-url --no-emit-find-links \
		--no-header --strip-extras -o requirements-dev.lock pyproject.toml
	$(BIN)/pip-compile -q --upgrade --extra bench -c requirements-dev.lock --no-emit-index-url --no-emit-find-links \
		--no-header --strip-extras -o requirements-bench.lock pyproject.toml
	$(BIN)/pip-compile -q --upgrade --extra compat -c requirements-dev.lock --no-emit-index-url --no-emit-find-links \
		--no-header --strip-extras -o requirements-compat.lock pyproject.toml
	$(BIN)/pip-compile -q --upgrade --no-emit-index-url --no-emit-find-links --no-header --strip-extras \
		-o requirements-tools.lock requirements-tools.in

# The examples install a copy of the package.
examples/react/node_modules/stamp examples/vite-app/node_modules/stamp: clients/js/build.stamp

clients/js/build.stamp: clients/js/node_modules/stamp clients/js/package.json $(wildcard clients/js/src/*.ts clients/js/src/generated/*.ts)
	@echo "Building the npm package ..."
	@cd clients/js && $(NODE) npm run --silent build
	@touch $@

%/node_modules/stamp: %/package-lock.json $(VENV)/dev.stamp
	@echo "Installing the packages of $* ..."
	@cd $* && $(NODE) npm ci --silent
	@touch $@

$(CHROMIUM):
	@echo "Installing Chromium with apt-get; set CHROMIUM to use another one ..."
	@apt-get update -qq && apt-get install -qq -y chromium >/dev/null

$(WRK):
	@echo "Installing wrk with apt-get; set WRK to use another one ..."
	@apt-get update -qq && apt-get install -qq -y wrk >/dev/null

$(JAVA):
	@echo "Installing Java with apt-get; set JAVA to use another one, 17 or newer ..."
	@apt-get update -qq && apt-get install -qq -y default-jre-headless >/dev/null

$(REDIS):
	@echo "Installing Redis with apt-get; put another redis-server on the PATH to use that ..."
	@apt-get update -qq && apt-get install -qq -y redis-server >/dev/null

$(NGINX):
	@echo "Installing nginx with apt-get; put another nginx on the PATH to use that ..."
	@apt-get update -qq && apt-get install -qq -y nginx >/dev/null

clean: ## Remove everything that the other commands created
	rm -rf $(VENV) $(COMPAT) $(TOOLS) tests/node/node_modules tests/tools/node_modules clients/js/node_modules clients/js/dist clients/js/build.stamp clients/js/test-results examples/react/node_modules examples/vite-app/node_modules examples/vite-app/dist examples/vite-app/test-results benchmarks/peers/node_modules examples/react/dist build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache clients/inspector/node_modules clients/inspector/screenshots clients/inspector/test-results

$(VENV)/serve.stamp: requirements.lock pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the server into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/serve.stamp
	@echo "Installing the test tools into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-dev.lock
	@touch $@

$(VENV)/bench.stamp: requirements-bench.lock $(VENV)/dev.stamp
	@echo "Installing the benchmark tools into $(VENV) ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements-bench.lock
	@touch $@

$(COMPAT)/stamp: requirements-compat.lock pyproject.toml
	@test -d $(COMPAT) || $(PYTHON) -m venv $(COMPAT)
	@echo "Installing other pytest plugins into $(COMPAT) ..."
	@$(COMPAT)/bin/python -m pip install -qq --disable-pip-version-check -r requirements-compat.lock -e .
	@touch $@

$(TOOLS)/stamp: requirements-tools.lock
	@test -d $(TOOLS) || $(PYTHON) -m venv $(TOOLS)
	@echo "Installing the tools of other teams into $(TOOLS) ..."
	@$(TOOLS)/bin/python -m pip install -qq --disable-pip-version-check -r requirements-tools.lock
	@touch $@
