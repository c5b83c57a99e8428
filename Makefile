# make demo   sets everything up and runs the main job on data that it makes itself
# make test   sets everything up and runs all tests
# make lint   formatting, style and types
# make clean  removes what make made

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test lint clean install
.DELETE_ON_ERROR:

demo: $(VENV)/installed
	@$(BIN)/python examples/demo.py

# Two processes; a file stays with one of them, because its tests share what was trained.
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(VENV)/installed

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch first and by itself: the range that the package asks for is then met, and pip fetches no other build.
$(VENV)/torch: | $(VENV)/bin/python
	@echo 'installing PyTorch, once (a few minutes)'
	@$(PIP) install --quiet $(TORCH)
	@touch $@

$(VENV)/installed: pyproject.toml $(VENV)/torch
	@echo 'installing sewall and the libraries it uses, once'
	@$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo 'installing the tools for tests, once'
	@$(PIP) install --quiet --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) demo build src/*.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
