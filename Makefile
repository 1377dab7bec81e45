# Two commands do everything: `make repro` (the main job) and `make test`.
SHELL := /bin/bash
VENV := .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# DVC asks its makers' server for news; nothing here should need a network once it is installed.
export DVC_NO_ANALYTICS := 1

# What `make gate` compares with.
BASE ?= origin/main
RELEASED := released/classifier.keras

.PHONY: help repro test setup data gate comment save release
help:
	@echo "make repro   build everything on the embedded data and show the scores"
	@echo "make test    ruff, mypy and pytest, with a miniature of the pipeline"
	@echo "make gate    judge params and metrics against another commit: BASE=$(BASE)"
	@echo "make release make the trained model the released one, with its card; ARGS=... as in scripts/release.py"

repro: setup data
	@rm -f gate.md # which judged what this replaces
	@dvc repro
	@python -m instrec.summary

test: $(VENV)/.dev setup data
	@bash scripts/system_packages.sh --browser
	ruff check .
	ruff format --check .
	mypy
	pytest --numprocesses auto --maxprocesses 4 --dist loadfile

gate: $(VENV)/.dvc
	@instrec gate '$(BASE)' --output gate.md

# What the workflows do besides: show gate.md on GitHub; commit and push what `make repro` wrote.
comment: $(VENV)/.dvc
	@python scripts/comment.py gate.md

save: $(VENV)/.dvc
	@bash scripts/save_results.sh

setup: $(VENV)/.installed
	@bash scripts/system_packages.sh

# The released model also where another one is there than this commit's.
data: $(VENV)/.installed
	@dvc pull --quiet --remote embedded data.dvc || { echo "error: data/ holds what data.dvc does not know; CONTRIBUTING.md says how to change the frozen scores, 'dvc checkout --force data.dvc' brings them back" >&2; exit 2; }
	@{ [ -f $(RELEASED) ] && grep --quiet "md5: $$(md5sum <$(RELEASED) | cut -c1-32)" $(RELEASED).dvc; } || \
	dvc pull --quiet --force --remote embedded $(RELEASED).dvc

release: $(VENV)/.installed
	@python scripts/release.py $(ARGS)

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt constraints.txt pyproject.toml | $(VENV)/.made
	pip install --quiet --disable-pip-version-check -r requirements.txt
	pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# All that the gate needs: seconds, where everything takes minutes.
$(VENV)/.dvc: requirements.txt constraints.txt pyproject.toml | $(VENV)/.made
	pip install --quiet --disable-pip-version-check -c constraints.txt $$(grep '^dvc==' requirements.txt)
	pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.installed
	pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
