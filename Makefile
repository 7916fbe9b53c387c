# `make demo` and `make test` set up .venv if need be. `make help` lists all.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/'

setup: $(READY)  ## create .venv with everything, wheels only

$(READY): setup.py $(wildcard requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo 'gld_mm needs Python 3.10 or newer: make PYTHON=python3.11'; exit 1; }
	@echo '[1/3] creating $(VENV)'
	@$(PYTHON) -m venv $(VENV) || \
	    { echo 'The venv module is missing: apt install python3-venv'; exit 1; }
	@echo '[2/3] installing PyTorch and OpenMMLab (about 2 minutes and 5 GB, once)'
	@$(BIN)/python -m pip install --disable-pip-version-check --only-binary=:all: \
	    -r requirements/venv.txt
	@echo '[3/3] installing gld_mm'
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps -q -e .
	@touch $(READY)

demo: $(READY)  ## distil on embedded data: a table and a picture in minutes
	@$(BIN)/python tools/demo.py

test: $(READY)  ## run the tests
	@$(BIN)/python -m pytest tests

clean:  ## remove .venv and the demo's results
	rm -rf $(VENV) work_dirs/demo gld_mm.egg-info
