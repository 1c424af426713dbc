# Everything that a newcomer needs. `make` alone lists it.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := alien_iac providers tests bench stacks examples
export UV_PYTHON_DOWNLOADS := never
# Where it is set, every process would compile the clouds' SDKs anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test quick bench golden format lint types contracts clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/demo ## Three customers on this machine: v1, commands, v2 in waves, a broken v3 (ONCE=1: ends by itself)
	@$(BIN)/alien demo $(if $(ONCE),--once)

test: .venv/ready ## Format, lint, types, contracts, tests with coverage, and the wheel
	$(BIN)/ruff format --check $(SOURCES)
	$(MAKE) --no-print-directory lint types contracts
	$(BIN)/python -m pytest -n 3 --dist worksteal -q -m "not slow" --cov --cov-report=term:skip-covered
	$(BIN)/python -m pytest -n 4 --dist loadgroup -q -m slow --durations=15

quick: .venv/ready ## The fast tests alone
	$(BIN)/python -m pytest -n 2 -q -m "not slow"

lint: .venv/ready
	$(BIN)/ruff check $(SOURCES)

types: .venv/ready
	$(BIN)/mypy

contracts: .venv/ready
	$(BIN)/lint-imports --no-cache

bench: .venv/ready ## Measure against the targets, each beside something to compare with
	$(BIN)/python bench/run.py

golden: .venv/ready ## Rewrite the golden files and generated pages (read the diff before you commit it)
	$(BIN)/python -m pytest -q tests/golden tests/docs/test_generated.py tests/docs/test_python.py --golden

format: .venv/ready ## Format and mend what can be mended
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix-only $(SOURCES)

clean: ## Remove what was installed, built and left by runs
	rm -rf .venv .demo .alien dist .mypy_cache .ruff_cache .pytest_cache .coverage* .hypothesis .screenshots

# The demo needs no cloud's SDK: those are a gigabyte on the disk.
.venv/demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[demo]'
	@touch $@

.venv/ready: .venv/demo
	$(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[all,demo]' --group dev
	@touch $@
