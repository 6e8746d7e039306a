# Two commands to begin with: `make dashboard` and `make test`. The same commands serve people and CI.
PYTHON ?= python3
PORT ?= 8866
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Without bytecode every import takes two to three times as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install torch ray dashboard lab demo test test-thorough test-faults test-ui test-slow test-wheel test-binder notebooks docs lint format bench lock clean help

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## Create .venv and install everything, pinned, with bytecode

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"python must be 3.11 or newer, got {sys.version.split()[0]}; set PYTHON=python3.11")'
	@echo "Installing into $(VENV): about a minute and 3 GB."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint requirements.lock uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode \
		--constraint requirements.lock --editable '.[train,lab]' --group dev
	@touch $@

torch: $(STAMP) ## Add PyTorch, an extra: models of PyTorch come in
	@$(BIN)/python -m pip install --quiet --constraint requirements.lock torch onnxscript

ray: $(STAMP) ## Add Ray, an extra: a model served by several machines
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --constraint requirements.lock 'ray[serve]'

dashboard: $(STAMP) ## Start the job cluster and the dashboard, print its URL (PORT=8866)
	@$(BIN)/workbench dashboard --port $(PORT)

lab: $(STAMP) ## Open JupyterLab at the notebooks
	@$(BIN)/jupyter lab --port $(PORT) $(if $(filter 0,$(shell id -u)),--allow-root) notebooks

demo: $(STAMP) ## The whole road once, on the digits that ship inside scikit-learn
	@$(BIN)/workbench run --dataset digits

test: $(STAMP) ## The tests that CI runs; no browser needed (under 2 minutes)
	$(BIN)/python -m pytest -n 3 --dist loadgroup -m "not slow and not ui and not faults and not thorough and not notebooks"

test-thorough: $(STAMP) ## Every compression method on several networks (minutes); CI runs these too
	$(BIN)/python -m pytest -m "thorough and not slow"

test-faults: $(STAMP) ## Processes are killed and disks are full; CI runs these too
	$(BIN)/python -m pytest -m "faults and not slow and not thorough"

test-ui: $(STAMP) ## The dashboards in a real headless Chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile -m ui

test-slow: $(STAMP) ## Real TensorFlow on real MNIST, long faults; run by hand
	$(BIN)/python -m pytest -m slow

test-wheel: $(STAMP) ## Build the wheel, install it into a clean venv, use it from an empty folder
	$(BIN)/python .ci/check_wheel.py

test-binder: $(STAMP) ## Build what binder builds in a clean environment, and use it
	$(BIN)/python .ci/check_binder.py

notebooks: $(STAMP) ## Run every notebook from top to bottom, the tutorials with their exercises solved
	$(BIN)/python -m pytest --nbmake notebooks/dashboards
	WORKBENCH_FAST=1 $(BIN)/python -m pytest -m notebooks tests/notebooks

docs: $(STAMP) ## Build the documentation; a broken link or reference ends it (docs/_build/index.html)
	@$(BIN)/sphinx-build --builder html --fail-on-warning --keep-going --nitpicky --quiet docs docs/_build
	@echo "docs/_build/index.html"

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

bench: $(STAMP) ## Measure the figures of the README (set WORKBENCH_DATA for MNIST)
	$(BIN)/python benchmarks/run.py

lock: ## Pin versions anew; the file names no package index
	$(BIN)/uv pip compile pyproject.toml --extra train --extra lab --extra torch --extra ray --group dev --universal --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate --upgrade -o requirements.lock

clean: ## Remove the environment and everything that was generated
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache test-artifacts docs/_build docs/know/reference
