# Every target sets itself up: Python 3.11+ and the package registry are all it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help setup setup-dev demo test check smoke chaos bench promises format lock clean

help:  ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "%-10s %s\n", $$1, $$2}'

$(VENV)/.runtime: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing what runs"
	@$(PIP) --require-hashes -r requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt
	@echo "installing what tests"
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(VENV)/.runtime  ## Make the environment
setup-dev: $(VENV)/.development

demo: setup  ## The main job on embedded parts, from nothing
	@$(BIN)/fulfil demo

test: setup-dev  ## The whole suite
	@$(BIN)/python -m pytest -n 3 --dist loadfile --ignore tests/faults/test_smoke.py

smoke: setup-dev  ## A small storm of the fault campaign, five minutes; the suite leaves it out
	@$(BIN)/python -m pytest tests/faults/test_smoke.py

chaos: setup-dev  ## The fault campaign; ARGS="--orders N --faults N --seed N --minutes N --ledger sqlite|postgres"
	@$(BIN)/python -m tests.faults.campaign $(ARGS)

$(VENV)/bench/.installed: bench/requirements.txt
	@$(PYTHON) -m venv $(VENV)/bench
	@echo "installing the bench's peers"
	@$(VENV)/bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bench/requirements.txt
	@touch $@

bench: setup-dev $(VENV)/bench/.installed  ## Ours beside its peers; ARGS="--rows … --columns … --orders N --rounds N"
	@$(BIN)/python -m bench.run $(ARGS)

check: setup-dev  ## Format, lint, types, import contract, sizes, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -n 3 --dist loadfile --ignore tests/faults/test_smoke.py

promises: setup-dev $(VENV)/bench/.installed  ## What is promised in numbers, measured; ARGS="rates fair …" for some
	@$(BIN)/python -m bench.promises $(ARGS)

format: setup-dev  ## Format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

LOCK := $(BIN)/python -m piptools compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: setup-dev  ## Renew the two lock files from pyproject.toml
	@$(PIP) pip-tools
	@$(LOCK) --extra build -o requirements.txt pyproject.toml
	@$(LOCK) --extra build --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml
	@$(LOCK) -o bench/requirements.txt bench/requirements.in

clean:  ## Remove the environment and the default home
	rm -rf $(VENV) .fulfil
