# The two commands: `make reports` and `make test`. Both set up .venv on first use.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2

# Compiled once, imports take a quarter of the time; some environments forbid it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help reports test test-notebooks lint lab notebooks lock bench calibrate test-pandas2 test-scale clean

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v >= (3, 11) or sys.exit("Python 3.11 or newer is needed, this is %d.%d. Name another one: make PYTHON=python3.12 ..." % v)'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.4"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@test -z "$(PANDAS)" || $(BIN)/uv pip install --quiet --python $(BIN)/python "pandas$(PANDAS)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

reports: $(READY) ## Run every job of reports/jobs.toml and print the path of the shelf
	@$(BIN)/cxlib run -j $(JOBS)

test: $(READY) ## Run all tests
	@$(BIN)/python -m pytest -q -n $(JOBS)

test-notebooks: $(READY) ## Run every notebook by its defaults in jupyter execute
	@CXLIB_ALL_NOTEBOOKS=1 $(BIN)/python -m pytest -q -n $(JOBS) tests/test_jupyter_execute.py

lint: $(READY) ## Check code and notebooks with ruff, and that notebooks equal their sources
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python notebooks/build.py --check

lab: $(READY) ## Open JupyterLab on notebooks/
	@$(BIN)/jupyter lab notebooks

notebooks: $(READY) ## Write notebooks/*.ipynb from notebooks/source/*.py
	@$(BIN)/python notebooks/build.py

bench: $(READY) ## Time ours beside the named peers (benchmarks/out/results.json)
	@$(BIN)/python benchmarks/bench.py

calibrate: $(READY) ## Measure the coverage of every interval (benchmarks/out/calibration.csv)
	@$(BIN)/python benchmarks/calibrate.py
	@$(BIN)/python benchmarks/calibrate_checks.py
	@$(BIN)/python benchmarks/calibrate_drivers.py
	@$(BIN)/python benchmarks/calibrate_ranks.py
	@$(BIN)/python benchmarks/calibrate_recovery_claims.py

test-pandas2: ## Run all tests again on pandas 2.2, in .venv-pandas2
	@$(MAKE) --no-print-directory test VENV=.venv-pandas2 PANDAS="==2.2.*"

# Spark's server and client come in one package, which the lock does not hold.
.venv-spark/.spark: requirements.lock pyproject.toml
	@$(MAKE) --no-print-directory .venv-spark/.ready VENV=.venv-spark
	@.venv-spark/bin/uv pip install --quiet --python .venv-spark/bin/python -c requirements.lock \
	    "pyspark[connect]>=4,<5"
	@touch $@

test-scale: $(READY) ## Run the SQL texts on a real PostgreSQL and a real Spark, where they are installed
	@$(BIN)/python -m pytest -q tests/scale -k postgres
	@if test -n "$(CXLIB_NO_SKIP)" || command -v java >/dev/null; then \
	    $(MAKE) --no-print-directory .venv-spark/.spark && \
	    .venv-spark/bin/python -m pytest -q tests/scale -k spark; \
	else echo "Spark is skipped: Java 17 is not installed here."; fi

lock: $(READY) ## Renew requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes \
	    --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	    --custom-compile-command "make lock" --upgrade --quiet -o requirements.lock

clean: ## Remove what the other targets made
	rm -rf .venv .venv-pandas2 .venv-spark reports/out .pytest_cache .ruff_cache .hypothesis
