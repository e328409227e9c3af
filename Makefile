# Every target installs what it needs, with pinned versions, into .venv; nothing outside this folder.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --upgrade --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test check docs bench mutation fuzz format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

demo: .venv/installed ## one patient and one table, from the command line
	$(BIN)/rlsiron interpret --ferritin "62 ng/mL" --tsat "18 %" --age 44 --sex female
	@mkdir -p build
	@echo
	@# two of its rows cannot be read in full, which is status 1
	$(BIN)/rlsiron table data/samples/clinic.csv -o build/answers.csv || test $$? -eq 1
	@echo "The answers are in build/answers.csv."

test: .venv/installed-dev ## the whole suite
	$(BIN)/python -m pytest -n auto --dist loadfile

check: .venv/installed-dev ## everything that must hold before a change lands
	scripts/check

docs: .venv/installed-dev ## the site, in build/site
	$(BIN)/python docs/pages.py build/pages
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c docs build/pages build/site
	@echo "The site starts at build/site/index.html."

bench: .venv/installed-dev ## every benchmarks/bench_*.py; the page and plot of the docs
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file"; done
	$(BIN)/python benchmarks/bench_frames.py --write

mutation: .venv/installed-dev ## change the decision core and count what the tests notice
	scripts/mutation

fuzz: .venv/installed-dev ## the property tests, each with many random examples
	RLSIRON_HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n auto tests -m hypothesis

format: .venv/installed-dev ## format and mend what can be mended
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: ## pin the newest versions again (needs uv on the PATH)
	$(LOCK) pyproject.toml requirements.in --extra cli --output-file requirements.txt
	$(LOCK) requirements-dev.in --output-file requirements-dev.txt

clean: ## remove everything that was made here
	rm -rf .venv build dist mutants src/*.egg-info .coverage .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/installed: pyproject.toml requirements.txt
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --requirement requirements.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(PIP) install --require-hashes --requirement requirements-dev.txt
	touch $@
