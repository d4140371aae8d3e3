# Every target sets up what it needs: a virtual environment in .venv, from constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python

# The tests start hundreds of processes, and each would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help app test test-slow test-ocr test-ray check format lint types layers docs docs-check package pictures recordings pairings bench bench-ocr local-model real-texts soak clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Creating a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# What the page needs, without the tools of development. Those of `ready` include it.
$(VENV)/app: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing the program and what the page needs (about 800 MB; a few minutes the first time)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[documents]' --constraint constraints.txt
	@touch $@

$(VENV)/ready: pyproject.toml constraints.txt | $(VENV)/python
	@echo "Installing the program and the tools of development (about 1.4 GB; a few minutes the first time)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[documents,login,dev]' --constraint constraints.txt
	@touch $@ $(VENV)/app

app: $(VENV)/app ## Open the page in a browser (works with no key)
	@echo "Starting the page; it opens in your browser when it is ready. Ctrl-C ends it."
	@$(BIN)/pitch app

test: $(VENV)/ready ## Run the tests that take seconds (two minutes on two cores)
	$(RUN) -m pytest -n 2 --dist worksteal -m 'not slow and not browser and not postgresql and not ocr and not ray'

test-slow: $(VENV)/ready ## Run the others: browser (needs Chromium), postgresql (needs a server), slow, more examples of properties
	$(RUN) -m pytest -n 2 --dist loadgroup --hypothesis-profile thorough \
	  -m '(slow or postgresql or browser or hypothesis) and not ocr and not ray'

test-ocr: $(VENV)/ready ## Run the tests that read pictures (installs the extra ocr)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[ocr,dev]' --constraint constraints.txt
	$(RUN) -m pytest -m ocr

test-ray: $(VENV)/ready ## Run the tests on a small cluster of Ray (installs the extra ray)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[ray,dev]' --constraint constraints.txt
	$(RUN) -m pytest -m ray

check: package docs-check types format lint layers ## All that is checked besides the tests

format: $(VENV)/ready ## Check the format (to apply it: .venv/bin/ruff format)
	$(BIN)/ruff format --check .

lint: $(VENV)/ready ## Lint
	$(BIN)/ruff check .

types: $(VENV)/ready ## Check the types
	$(BIN)/mypy

layers: $(VENV)/ready ## Check that imports only point down
	$(BIN)/lint-imports

docs: $(VENV)/ready ## Write the generated pages of docs/
	$(RUN) docs/generate.py

docs-check: $(VENV)/ready ## Check that the generated pages are today's
	$(RUN) docs/generate.py --check

package: $(VENV)/ready ## Build the wheel and try it in an empty environment
	$(RUN) tests/try_package.py

pictures: $(VENV)/ready ## Take the pictures of the page: docs/page.png, and its states in build/pictures (needs Chromium)
	$(RUN) -m tests.browser.pictures build/pictures

recordings: $(VENV)/ready ## Record what is missing of fixtures/ with your own model: make recordings MODEL=openai/...
	@test -n "$(MODEL)" || { echo "name the model: make recordings MODEL=openai/gpt-6-luna"; exit 2; }
	$(BIN)/pitch record fixtures/pitches --model $(MODEL) --to fixtures/recordings
	for part in reading hostile languages; do \
	  $(BIN)/pitch record fixtures/$$part --model $(MODEL) --to fixtures/recordings/$$part || exit; done
	$(BIN)/pitch record fixtures/examples.csv --model $(MODEL) --to fixtures/recordings/examples

pairings: $(VENV)/ready ## Measure what a second look stops, with your own model: make pairings MODEL=openai/...
	$(RUN) -m benchmarks.pairings $(if $(MODEL),--model $(MODEL))

bench: $(VENV)/ready ## Measure bulk runs beside others (LangChain too, if installed)
	$(RUN) benchmarks/bulk.py

bench-ocr: $(VENV)/ready ## Read the pitches rendered as pictures, and compare signals with those of the text (an hour on two cores)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[ocr,dev]' --constraint constraints.txt
	$(RUN) benchmarks/ocr.py

local-model: $(VENV)/ready ## Try the ways of asking on a real local server, with the smallest open weights (130 MB to load)
	$(RUN) -m benchmarks.local_check

real-texts: $(VENV)/ready ## Read real texts and compare with manual scores: make real-texts CLONES=folder [MODEL=...] [SAVE=1]
	@test -n "$(CLONES)" || { echo "name the folder of clones: make real-texts CLONES=clones (benchmarks/real_texts/README.md)"; exit 2; }
	$(RUN) -m benchmarks.real_texts "$(CLONES)" --model $(or $(MODEL),keywords) $(if $(SAVE),--save)

soak: $(VENV)/ready ## Put bulk runs through kills, faults, outages and full disks; writes docs/reliability.md (half an hour)
	$(RUN) -m tests.soak

clean: ## Remove what was built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
