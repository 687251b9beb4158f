# `make demo` shows Darkroom, `make test` checks it; both work in a fresh clone with nothing but Python and make.
PYTHON ?= python3
VENV ?= .venv
STAMPS := $(VENV)/stamps
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# Measuring what the tests reach takes a third longer: `make test COVER=1` does.
COVER ?=
# The tests start Darkroom a hundred times: what is compiled once is read by all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo install test quick wheel proof soak reliability bench docs lock format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    the whole thing running, no account needed"
	@echo "make install what a Darkroom of your own needs, in .venv"
	@echo "make test    format, lint, types, imports, the whole suite, and the wheel in an empty environment"
	@echo "make quick   the fast part of it, for before a commit"
	@echo "make proof   what takes longer: crash and flood tests"
	@echo "make soak    20,000 simulated days of crashes and faults; takes an hour or two, and goes on when begun again"
	@echo "make reliability  the tables of docs/reliability.md, made anew; takes half an hour"
	@echo "make docs    the parts of the docs that are made from the code"
	@echo "make bench   what we measure, beside a yardstick"
	@echo "make lock    compile the lock files again;  make format: let ruff format"

$(STAMPS)/venv:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "$(PYTHON) was not found. Darkroom needs Python 3.11 to 3.13. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13)))' || \
	  { echo "Darkroom needs Python 3.11 to 3.13, and $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements.lock pyproject.toml $(STAMPS)/venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(STAMPS)/dev: requirements-dev.lock $(STAMPS)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: $(STAMPS)/run
	@echo "Next: $(BIN)/darkroom init"

demo: $(STAMPS)/run
	$(BIN)/darkroom demo $(ARGS)

quick: $(STAMPS)/dev
	$(BIN)/ruff format --check --quiet . || { echo "run: make format" >&2; exit 1; }
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose >/dev/null || $(BIN)/lint-imports
	$(PYTEST) -q -n 2 -m "not slow and not proof and not browser"

test: $(STAMPS)/dev
	$(BIN)/ruff format --check --quiet . || { echo "run: make format" >&2; exit 1; }
	$(BIN)/ruff check --quiet .
	$(BIN)/lint-imports
	@echo "The types and then the wheel are checked beside the tests; what they say stands at the end."
	@{ $(BIN)/mypy && $(BIN)/python tests/wheel.py; } > $(STAMPS)/beside.txt 2>&1 & beside=$$!; \
	  $(PYTEST) -q -n 3 --dist worksteal -m "not proof" $(if $(COVER),--cov --cov-fail-under=90); tests=$$?; \
	  wait $$beside; beside=$$?; cat $(STAMPS)/beside.txt; [ $$beside -eq 0 ] && [ $$tests -eq 0 ]

wheel: $(STAMPS)/dev
	$(BIN)/python tests/wheel.py

proof: $(STAMPS)/dev
	$(PYTEST) -q -n 2 --dist worksteal -m "proof and not alone" --timeout 1800
	$(PYTEST) -q -m "proof and alone" --timeout 1800

soak: $(STAMPS)/dev
	$(BIN)/python -m tests.simulation --days 20000 --keep $(VENV)/soak/soak.json
	$(BIN)/python -m tests.reliability $(VENV)/soak

FOUND := $(VENV)/reliability
reliability: $(STAMPS)/dev
	rm -rf $(FOUND)
	mkdir -p $(FOUND)
	$(BIN)/python -m tests.simulation --days 1000 --json > $(FOUND)/simulation.json
	RELIABILITY_ROWS=$(FOUND) RELIABILITY_CRASHES=$(FOUND)/crash.md \
	  $(PYTEST) -q -m proof --timeout 1800 tests/matrix tests/mutants tests/crash tests/scenarios/test_storm.py
	$(BIN)/python -m tests.reliability $(FOUND)

bench: $(STAMPS)/dev
	$(BIN)/python -m bench

format: $(STAMPS)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet . || true

docs: $(STAMPS)/dev
	$(BIN)/python -m tests.made

lock: $(STAMPS)/dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra charts pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
