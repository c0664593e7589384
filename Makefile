# Two commands do everything: `make serve` and `make test`. `make help` lists the rest.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
FUZZ_SEED ?= 20260118
export PYTHONWARNINGS ?= ignore

.DEFAULT_GOAL := help
.PHONY: help serve test lint unit fuzz-gate fuzz mutants docs lock clean

help: ## List these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

serve: $(VENV)/serve.stamp ## Serve the API on http://127.0.0.1:8765 (options: ARGS="--port 0 ...")
	@$(BIN)/stubserver serve $(ARGS)

test: lint unit fuzz-gate ## Run every test: lint, types, unit and model tests with coverage, the fuzz gate

lint: $(VENV)/dev.stamp ## Check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: $(VENV)/dev.stamp ## Run the pytest suite with coverage (options: ARGS="-k name ...")
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --fail-under=95

fuzz-gate: $(VENV)/dev.stamp ## Run Schemathesis with the fixed seed of CI
	$(BIN)/python -m tests.fuzz.gate --seed $(FUZZ_SEED)

fuzz: $(VENV)/dev.stamp ## Fuzz for ten minutes with a fresh seed, which is printed
	$(BIN)/python -m tests.fuzz.gate --max-time 600 $(ARGS)

docs: $(VENV)/dev.stamp ## Write anew what is made from the contract and the tests (tables, DECISIONS.md)
	$(BIN)/python -m tests.docs

mutants: $(VENV)/dev.stamp ## Break the rules in every small way and count what the tests notice (15 minutes)
	$(BIN)/mutmut run
	$(BIN)/mutmut results

lock: $(VENV)/dev.stamp ## Write the lock files anew
	$(BIN)/pip-compile -q --upgrade --no-emit-index-url --no-emit-find-links --no-header --strip-extras \
		-o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --upgrade --extra dev -c requirements.lock --no-emit-index-url --no-emit-find-links \
		--no-header --strip-extras -o requirements-dev.lock pyproject.toml

clean: ## Remove what the other commands made
	rm -rf $(VENV) build dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/serve.stamp: requirements.lock pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the server into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.lock -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/serve.stamp
	@echo "Installing the test tools into $(VENV) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.lock
	@touch $@
