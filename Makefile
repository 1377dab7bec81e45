# Two commands do everything: `make repro` (the main job) and `make test`.
SHELL := /bin/bash
VENV := .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# DVC asks its makers' server for news; nothing here should need a network once it is installed.
export DVC_NO_ANALYTICS := 1

# What `make gate` compares with.
BASE ?= origin/main
# GitHub empties RUNNER_TEMP before each job: a page there is never an earlier job's, which may have been of another
# pull request, whatever step fails.
PAGE := $(if $(RUNNER_TEMP),$(RUNNER_TEMP)/)gate.md

# Nothing is installed whose checksum the lock does not have; what comes without a wheel is built with what is installed.
INSTALL := pip install --quiet --disable-pip-version-check --no-build-isolation --no-compile
# On all processors; pip takes one file after another. What no Python of today compiles is left, as pip leaves it.
COMPILE := python -W ignore -m compileall -qq -j 0 $(VENV)/lib || true
# tests/conftest.py says in which order. One process more than there are processors, as many tests wait; four at most.
PROCESSES := --numprocesses $(shell seq 2 4 | head -n $$(nproc) | tail -n 1) --dist loadgroup --no-loadscope-reorder
NEEDS = python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")'
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command 'make lock' $(ARGS)

# mkdocs-material's advertisement.
export NO_MKDOCS_2_WARNING := 1

.PHONY: help repro test lint check bench docs setup data gate comment save release wheel publish lock audit forget
help:
	@echo "make repro   build everything on the embedded data and show the scores"
	@echo "make test    ruff, mypy and pytest, with a miniature of the pipeline"
	@echo "make lint    ruff, mypy, what modules may import, and the words of docs/style.md"
	@echo "make check   lint, and the tests that take seconds"
	@echo "make bench   compare speeds side by side and write docs/benchmarks.md; half an hour on an idle machine"
	@echo "make gate    judge params and metrics against another commit: BASE=$(BASE)"
	@echo "make release make the trained model the released one, with its card; ARGS=... as in scripts/release.py"
	@echo "make wheel   build the package that PyPI gets, with the released model, into dist/"
	@echo "make lock    write requirements*.txt from pyproject.toml; ARGS=--upgrade takes newer packages"
	@echo "make docs    build the documentation site into build/site"
	@echo "make audit   look for known vulnerabilities of the packages in requirements*.txt; needs a network"

repro: forget setup data
	@[ -s .dvc/tmp/rwlock ] || rm -f .dvc/tmp/rwlock # empty where DVC was killed as it wrote it; DVC cannot read it then
	@dvc repro
	@python scripts/readme_table.py
	@python -m instrec.tracking.summary

test: $(VENV)/.dev setup data
	@bash scripts/system_packages.sh --browser
	@# Without these packages, the tests of docs/browser.md skip.
	@! type -P npm >/dev/null || npm ci --silent --ignore-scripts --prefix examples || echo "warning: no packages from npm" >&2
	$(MAKE) --no-print-directory lint
	pytest $(PROCESSES) --durations 40 --durations-min 10

# What a commit must pass, in seconds; .pre-commit-config.yaml runs the same.
lint: $(VENV)/.dev
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache
	python scripts/check_words.py

# Also the tests that build no pipeline and train no model.
check: lint data
	pytest $(PROCESSES) -m 'not pipeline' tests/audio tests/corpus tests/evaluation tests/features tests/scores tests/util tests/test_params.py tests/test_taxonomy.py --ignore tests/corpus/published/test_learning.py

docs: $(VENV)/.dev
	@mkdocs build --quiet --strict

gate: forget $(VENV)/.dvc
	@instrec dev gate '$(BASE)' --output '$(PAGE)'

# Before anything can fail: the page judged what is replaced.
forget:
	@rm -f '$(PAGE)'

# What the workflows do besides: show the page on GitHub; commit and push what `make repro` wrote.
# As the step's summary, and as the one comment of this account on the pull request; GitHub takes 65,536 characters.
comment:
	@[ -f '$(PAGE)' ] || { echo "error: $(PAGE): not there; \`make gate BASE=origin/main\` writes it" >&2; exit 2; }
	@cat '$(PAGE)' >>"$$GITHUB_STEP_SUMMARY"
	@[ -z "$$PULL_REQUEST" ] || head --bytes=60000 '$(PAGE)' | gh pr comment "$$PULL_REQUEST" --edit-last --create-if-none --body-file -

save: $(VENV)/.dvc
	@bash scripts/save_results.sh

setup: $(VENV)/.installed
	@bash scripts/system_packages.sh

data: $(VENV)/.installed
	@dvc pull --quiet --remote embedded data.dvc || { echo "error: data/ holds what data.dvc does not know; CONTRIBUTING.md says how to change the frozen scores, 'dvc checkout --force data.dvc' brings them back" >&2; exit 2; }

bench: $(VENV)/.dev setup
	@python -m benchmarks.side_by_side

release: $(VENV)/.installed
	@python scripts/release.py $(ARGS)

# Of what git has, in a folder of its own: setuptools would leave its files in build/, which is the pipeline's.
wheel: $(VENV)/.dev
	@rm -rf dist
	@folder=$$(mktemp --directory) && trap 'rm -rf "$$folder"' EXIT && git archive HEAD | tar --extract --directory "$$folder" && \
	uv build --quiet --wheel --no-build-isolation --python $(VENV)/bin/python --out-dir dist "$$folder"

# As a trusted publisher: PyPI knows this repository's workflow, and no token is kept.
publish: wheel
	@uv publish --trusted-publishing always dist/*.whl

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt $(VENV)/.built
	$(INSTALL) --require-hashes -r requirements.txt
	$(INSTALL) --no-deps --editable .
	@$(COMPILE)
	@touch $@

# All that the gate needs: seconds, where everything takes minutes.
$(VENV)/.dvc: requirements-gate.txt $(VENV)/.built
	$(INSTALL) --require-hashes -r requirements-gate.txt
	$(INSTALL) --no-deps --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.installed
	$(INSTALL) --require-hashes -r requirements-dev.txt
	@$(COMPILE)
	@touch $@

$(VENV)/.built: requirements-build.txt pyproject.toml | $(VENV)/.made
	$(INSTALL) --require-hashes -r requirements-build.txt
	@touch $@

lock: $(VENV)/.dev
	@python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' | \
	$(LOCK) - --output-file requirements-build.txt >/dev/null
	@$(LOCK) --constraint requirements-build.txt pyproject.toml --extra pipeline --output-file requirements.txt >/dev/null
	@$(NEEDS) pipeline | grep '^dvc' | $(LOCK) --constraint requirements.txt - --output-file requirements-gate.txt >/dev/null
	@$(NEEDS) dev | $(LOCK) --constraint requirements.txt - --output-file requirements-dev.txt >/dev/null

# --strict: a package that nothing could be found out about is a failure, too.
audit: $(VENV)/.dev
	@pip-audit --strict --disable-pip --require-hashes -r requirements.txt -r requirements-dev.txt 2>$(VENV)/audit.log || { \
	tail -n 1 $(VENV)/audit.log >&2; grep -q '^Found ' $(VENV)/audit.log || \
	echo "error: the audit did not come to its end; it needs a network that has the index of packages" >&2; exit 2; }
