# The one front door: everything runs in .venv, made on first use.

.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
ARGS ?=
WORKERS ?= 2

export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

PIP_INSTALL := $(BIN)/python -m pip install --quiet

define FIND_PYTHON
for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3.14 python3 python; do \
	if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		echo $$candidate; break; \
	fi; \
done
endef

.PHONY: help demo test lint types docs bench clean distclean

help: ## say what can be made
	@echo "make TARGET [ARGS='...']"
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 14
	@echo "PYTHON=... picks the interpreter for a new .venv; WORKERS=0 runs tests in one process."

demo: $(STAMPS)/run ## translate, fit on both sides and verify a growth model of the built-in data
	@$(BIN)/growthmm demo $(ARGS)

test: $(STAMPS)/test ## run the tests (make test ARGS='-k sleepstudy')
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: $(STAMPS)/lint ## ruff, formatting, and the contracts between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMPS)/types ## mypy --strict
	$(BIN)/mypy $(ARGS)

docs: $(STAMPS)/docs ## build the documentation into docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -q -W --keep-going -j 2 -b html docs docs/_build/html $(ARGS)
	@echo "docs/_build/html/index.html"

bench: $(STAMPS)/bench ## time fits, then beside other programs (ARGS=--full: to 1,000,000 persons)
	@$(BIN)/python -m pytest benchmarks -o addopts= -o python_files='bench_*.py' -p no:xdist -q \
		--benchmark-sort=name --benchmark-columns=min,median,rounds \
		--benchmark-max-time=0.3 --benchmark-min-rounds=3
	@$(BIN)/python benchmarks/run.py $(or $(ARGS),--quick)

clean: ## remove caches and what was built
	rm -rf build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.benchmarks .import_linter_cache
	find . -name $(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf

distclean: clean ## remove .venv as well
	rm -rf $(VENV)

$(STAMPS)/venv:
	@python="$$($(FIND_PYTHON))"; \
	if [ -z "$$python" ]; then \
		echo "growthmm needs Python 3.11 or later, and none of python3.11 ... python3 is one." >&2; \
		echo "Hint: install Python 3.11, or name one: make PYTHON=/path/to/python3.11 ..." >&2; \
		exit 2; \
	fi; \
	if [ ! -x $(BIN)/python ]; then \
		echo "Making $(VENV) with $$("$$python" --version)"; \
		"$$python" -m venv $(VENV) || { \
			echo "$$python could not make a virtual environment." >&2; \
			echo "Hint: on Debian and Ubuntu, apt-get install python3-venv." >&2; \
			rm -rf $(VENV); exit 2; }; \
	fi
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: pyproject.toml $(STAMPS)/venv
	@echo "Installing growthmm into $(VENV)"
	@$(PIP_INSTALL) --editable .
	@touch $@

$(STAMPS)/%: pyproject.toml $(STAMPS)/venv
	@echo "Installing growthmm[$*] into $(VENV)"
	@$(PIP_INSTALL) --editable '.[$*]'
	@touch $@ $(STAMPS)/run
