SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:

# Nothing is sent anywhere.
export DVC_NO_ANALYTICS := 1
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true
export GIT_PYTHON_REFRESH := quiet
# Threads that wait give the processor away: two stages, or tests, beside each other run at half speed, not at a tenth.
export OMP_WAIT_POLICY := PASSIVE
# What a stage says is seen while it works.
export PYTHONUNBUFFERED := 1

PYTHON ?= python3
DATA ?=
FORMAT ?= canonical
TEST_FROM ?=
SERVE ?= 1
HOUSEHOLDS ?= 20000
BENCHMARKS = $(sort $(wildcard benchmarks/*.py))

.PHONY: help setup run test serve check compare coverage tune bench audit sbom soak chaos screenshots bundle mlflow clean

help:  ## list what can be made
	@grep -hE '^[a-z]+:.*  ## ' $(MAKEFILE_LIST) | awk -F ':.*  ## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: .venv/.installed  ## make .venv with everything in it

.venv/.installed: pyproject.toml requirements.lock requirements-bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Tepat needs Python 3.11 or newer; $(PYTHON) is older. Try: make setup PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode -r requirements.lock
	.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
	@touch $@

run:  ## make the priority list, of a simulated kabupaten or of DATA=<dir> [FORMAT=dhs] [TEST_FROM=2014-01-01]
ifeq ($(strip $(DATA)),)
ifneq ($(strip $(FORMAT)),canonical)
	@echo "FORMAT=$(FORMAT) says how the files in DATA are laid out. Say where they are: make run FORMAT=$(FORMAT) DATA=<dir>"
	@exit 2
endif
endif
	@$(MAKE) --no-print-directory setup
ifeq ($(strip $(DATA)),)
	.venv/bin/tepat simulate --households "$(HOUSEHOLDS)" --out data/simulated --keep
endif
	.venv/bin/python -m features.source --format "$(FORMAT)" --data "$(if $(strip $(DATA)),$(DATA),data/simulated/registers)" $(if $(strip $(TEST_FROM)),--test-from "$(TEST_FROM)")
	.venv/bin/dvc repro
	.venv/bin/tepat worklist --top 10
	@if [ "$(SERVE)" != 0 ]; then exec .venv/bin/tepat serve; fi

serve: setup  ## answer other systems on http://127.0.0.1:8000, from the last run
	.venv/bin/tepat serve

check: setup  ## lint, format, types and the import map
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# The tests run on Spark, too; a district that only runs Tepat does not need its 400 MB.
.venv/.spark: .venv/.installed requirements-spark.lock
	.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode -r requirements-spark.lock
	@touch $@

# The tests run a real PostgreSQL and a real browser, of Debian's packages. Its package would start a server of its own.
.venv/.system: .venv/.installed
	@missing=$$({ command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 || echo postgresql; \
	  command -v chromium >/dev/null || echo chromium); \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  mkdir -p /etc/postgresql-common; \
	  [ -e /etc/postgresql-common/createcluster.conf ] \
	    || echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; \
	  export DEBIAN_FRONTEND=noninteractive; \
	  apt-get update -qq && apt-get install -qq --yes --no-install-recommends $$missing >/dev/null && missing=; \
	fi; \
	if [ -n "$$missing" ]; then \
	  echo "Not on this machine:" $$missing "- tests that need them are skipped. As root: apt-get install" $$missing; \
	else touch $@; fi

# Looks through every page for what shuts somebody out; only the tests use it.
.venv/.axe: .venv/.installed tests/axe/package-lock.json
	@if command -v npm >/dev/null; then \
	  mkdir -p .venv/axe && cp tests/axe/package.json tests/axe/package-lock.json .venv/axe/ && \
	  npm ci --prefix .venv/axe --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && touch $@; \
	else echo "Not on this machine: npm - tests that look through the pages for what shuts somebody out are skipped."; fi

test: check .venv/.spark .venv/.system .venv/.axe  ## check, then every test and doctest
	.venv/bin/pytest -n 4 --dist loadgroup --no-loadscope-reorder

compare: setup  ## other ways of learning, and what each step is worth, on folds of the training years (about 20 minutes)
	.venv/bin/python -m training.compare

coverage: setup  ## how often a risk's interval holds the true risk, on a simulation (about 4 minutes)
	.venv/bin/python -m training.coverage

tune: setup  ## seek better settings of the booster on folds of the training years; goes on where it stopped
	.venv/bin/python -m training.tune

bench: setup  ## run every benchmark
	@failed=0; for file in $(BENCHMARKS); do echo "== $$file"; .venv/bin/python "$$file" || failed=1; done; exit $$failed

audit: setup  ## known faults of the parts in the lock files, as far as the advisories can be reached
	.venv/bin/python deploy/audit.py

sbom: setup  ## dist/tepat-sbom.json: every part with version and licence, as CycloneDX
	@mkdir -p dist && echo '*' > dist/.gitignore
	.venv/bin/cyclonedx-py environment --output-reproducible --output-format JSON \
	  --pyproject pyproject.toml --outfile dist/tepat-sbom.json .venv/bin/python

soak: setup .venv/.system  ## ten minutes at half of peak, with a model swap, a database restart and a scorer killed
	.venv/bin/python -m tests.trials.soak --minutes 10

chaos: setup .venv/.system  ## kill the service 50 times while it publishes and keeps decisions; nothing confirmed may be lost
	.venv/bin/python -m tests.trials.chaos --kills 50

screenshots: setup .venv/.system  ## draw the main pages of a simulated kabupaten into docs/pictures
	.venv/bin/python -m tests.trials.screenshots

bundle: setup  ## make dist/tepat-offline-*.tar: everything, to install without internet
	deploy/bundle.sh

mlflow: setup  ## look at the registry on http://127.0.0.1:5000
	.venv/bin/mlflow server --backend-store-uri sqlite:///mlruns/mlflow.db \
	  --artifacts-destination mlruns/artifacts --workers 1 --host 127.0.0.1 --port 5000

clean:  ## remove what can be made again; keeps data/, mlruns/ and .dvc/cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build ./*.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
