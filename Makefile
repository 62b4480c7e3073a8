SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Extra arguments for the command behind a target: make test ARGS="-k verdict"
ARGS ?=

##@ Use

.PHONY: run
run: $(VENV)/.run ## Install what is needed, then serve the register (PORT=8000)
	@exec $(BIN)/registry serve $(ARGS)

.PHONY: migrate
migrate: $(VENV)/.run ## Bring the database to the newest schema
	@$(BIN)/registry migrate $(ARGS)

.PHONY: example
example: $(VENV)/.run $(VENV)/.client ## Start an example booking system, and a register beside it (BOOKING_PORT=8001)
	@exec $(BIN)/python examples/booking $(ARGS)

##@ Work on it

.PHONY: install
install: $(VENV)/.run $(VENV)/.client $(VENV)/.dev ## Install everything that development needs into .venv

.PHONY: test
test: install ## Run every test, on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

FUZZ_SECONDS ?= 60
FUZZ_EFFORT ?= 20

.PHONY: fuzz
fuzz: install $(VENV)/.fuzz ## Try to break what reads requests and files, for long (FUZZ_SECONDS=60 each, FUZZ_EFFORT=20)
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(ARGS)
	@REGISTRY_TEST_EFFORT=$(FUZZ_EFFORT) $(BIN)/python -m pytest -n 2 --dist worksteal \
		tests/fuzz tests/http/hostile tests/http/test_contract.py tests/http/test_sequences.py

.PHONY: coverage
coverage: install ## Run every test, and say which lines none reached
	@$(BIN)/python -m pytest -n 2 --dist worksteal --cov --cov-report=term-missing $(ARGS)

.PHONY: format
format: install ## Format the code and repair what the linter can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: check
check: check-format lint types layers dependencies openapi access settings dockerfile check-lock sbom ## Run every check that is not a test

.PHONY: check-format lint types layers dependencies openapi access settings dockerfile check-lock sbom
check-format: install ## ... the format of the code
	@$(BIN)/ruff format --check .
lint: install ## ... the linter
	@$(BIN)/ruff check .
types: install ## ... the types
	@$(BIN)/mypy
layers: install ## ... that imports go down only
	@$(BIN)/lint-imports --no-logo
dependencies: install ## ... that each dependency is declared, and used
	@$(BIN)/deptry registry
	@cd clients/python && $(abspath $(BIN))/deptry src
openapi: install ## ... that the stored OpenAPI document is the application's
	@$(BIN)/registry openapi --check
access: install ## ... that docs/access.md is the code's table of who may do what
	@$(BIN)/registry access --check
settings: install ## ... that docs/settings.md describes the settings that there are
	@$(BIN)/registry settings --check
dockerfile: install ## ... the Dockerfile
	@$(BIN)/hadolint Dockerfile
check-lock: install ## ... that the lock files belong to pyproject.toml
	@$(BIN)/python scripts/check_locks.py
sbom: install ## ... that the bill of materials (build/sbom.cdx.json) names all that runs
	@$(BIN)/python -m scripts.sbom build/sbom.cdx.json

.PHONY: bench bench-quick bench-peers
bench: install ## Measure speed on a large register
	@$(BIN)/python -m bench $(ARGS)
bench-quick: install ## Measure speed on a small register
	@$(BIN)/python -m bench --quick $(ARGS)
bench-peers: install ## Measure the same question asked of other frameworks (installs them first)
	@$(BIN)/python -m bench --only peers $(ARGS)

COMPILE = $(BIN)/uv --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --extra postgres --extra redis --extra xlsx --group build

.PHONY: lock
lock: $(BIN)/uv ## Lock the dependencies in pyproject.toml; ARGS=--upgrade takes newer versions
	@$(COMPILE) pyproject.toml --output-file requirements/run.txt $(ARGS)
	@$(COMPILE) pyproject.toml --group dev --constraints requirements/run.txt \
		--output-file requirements/dev.txt $(ARGS)
	@$(COMPILE) pyproject.toml --group fuzz --constraints requirements/run.txt \
		--output-file requirements/fuzz.txt $(ARGS)
	@$(COMPILE) pyproject.toml --group peers --constraints requirements/run.txt \
		--output-file requirements/peers.txt $(ARGS)

.PHONY: clean
clean: ## Remove what can be made again: the environment, caches, reports (never a database)
	@rm -rf $(VENV) build dist *.egg-info htmlcov .coverage .coverage.* .fuzz .hypothesis \
		.import_linter_cache .mypy_cache .pytest_cache .ruff_cache .schemathesis \
		.venv-peers bench/peers/directus/node_modules
	@find registry tests bench clients examples scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: help
help: ## Show this
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- The environment: one folder, and a stamp for each lock file that was installed into it. ---

$(BIN)/python:
	@python=; for candidate in $(PYTHON) python3.11 python3 python; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; \
		then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "Python 3.11 is needed, and none of python3.11, python3 and python is one." >&2; \
		echo "Install it, or name it: make PYTHON=/path/to/python3.11 ..." >&2; \
		exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked dependencies into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# The client's own dependencies are among the register's, and locked with them.
$(VENV)/.client: clients/python/pyproject.toml | $(VENV)/.run
	@$(PIP) install --no-deps --no-build-isolation --editable clients/python
	@touch $@

$(VENV)/.dev: requirements/dev.txt | $(VENV)/.run
	@echo "Installing the locked development tools into $(VENV)"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.fuzz: requirements/fuzz.txt | $(VENV)/.dev
	@echo "Installing what guides fuzzing into $(VENV)"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/fuzz.txt \
		|| echo "It cannot be installed here; Hypothesis will drive the targets instead." >&2
	@touch $@

# The lock files are made by a tool that they lock: where they cannot be installed, any version of it will do.
$(BIN)/uv: | $(BIN)/python
	@$(PIP) install uv
