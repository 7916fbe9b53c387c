# `make demo` and `make test` set up .venv if need be. `make help` lists all.
# With STACK=onedl each uses .venv-onedl, which has the hosts of OneDL.
PYTHON ?= python3
STACK ?= venv
VENV := .$(if $(filter venv,$(STACK)),venv,venv-$(STACK))
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The list of the stack and those that it includes
LIST := requirements/$(STACK).txt
LISTS := $(LIST) requirements/lite.txt $(shell sed -n 's|^-r |requirements/|p' $(LIST))
# An environment keeps the Python that it was made with.
ifneq ($(origin PYTHON),file)
MADE := $(shell $(BIN)/python --version 2>/dev/null)
ifneq ($(MADE),)
ifneq ($(MADE),$(shell $(PYTHON) --version 2>&1))
$(error $(VENV) has $(MADE), which is not that of $(PYTHON): rm -r $(VENV))
endif
endif
endif
SOURCES := gld_mm tools tests configs setup.py docs/conf.py

.PHONY: help setup demo test lint docs clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

setup: $(READY)  ## create .venv with everything, no compiler

$(READY): setup.py $(LISTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo 'gld_mm needs Python 3.10 or newer: make PYTHON=python3.11'; exit 1; }
	@echo '[1/3] creating $(VENV)'
	@$(PYTHON) -m venv $(VENV) || \
	    { echo 'The venv module is missing: apt install python3-venv'; exit 1; }
	@echo '[2/3] installing PyTorch and OpenMMLab (about 2 minutes and 5 GB, once)'
	@$(BIN)/python -m pip install --disable-pip-version-check --only-binary=:all: \
	    -r $(LIST)
	@echo '[3/3] installing mmcv-lite and gld_mm'
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps -q \
	    -r requirements/lite.txt -e .
	@touch $(READY)

demo: $(READY)  ## distil on embedded data: a table and a picture in minutes
	@$(BIN)/python tools/demo.py

# A worker that crashes is not replaced: xdist may wait for ever for the new one
# (https://github.com/pytest-dev/pytest-xdist/issues/784).
test: $(READY)  ## run the tests; ARGS='-m ""' runs the slow ones too
	@$(BIN)/python -m pytest tests -n 2 --dist loadfile --max-worker-restart 0 $(ARGS)

lint: $(READY)  ## check style, types and docstrings
	@$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements/lint.txt
	$(BIN)/flake8 $(SOURCES)
	$(BIN)/isort --check-only --diff $(SOURCES)
	$(BIN)/yapf --diff --recursive --parallel $(SOURCES)
	$(BIN)/codespell $(SOURCES) docs *.md model_zoo/*.md
	$(BIN)/mypy
	$(BIN)/interrogate gld_mm tools

docs: $(READY)  ## build the documentation as a site: docs/_build/index.html
	@$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements/docs.txt
	@$(BIN)/python -m sphinx -W --keep-going -q -c docs . docs/_build
	@echo 'Site: docs/_build/index.html'

clean:  ## remove .venv, the demo's results and what was built
	rm -rf $(VENV) work_dirs/demo build gld_mm.egg-info gld_mm/.mim docs/_build
	rm -f .venv*/.ready  # the other stack's links are to be made again
