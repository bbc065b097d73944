# Needs python3 (3.11 or newer) and nothing else: each target sets up its own virtual environment.
#   make demo                        a session dies, is renewed once, and nothing is lost
#   make test                        every test, a quarter of an hour; make test ARGS="tests/wire -k caret" runs some
#   make check                       style, types, import rules
#   make docs                        the documentation site, in build/site; its playground needs npm
#   make demo PYTHON=python3.13      with another Python

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
RUN    ?= pytest
# What is installed: this folder, or with WHEEL=path the built wheel and no source.
WHEEL  ?=

bin     := $(VENV)/bin
package := $(if $(WHEEL),$(WHEEL),--editable .)
extra    = $(if $(WHEEL),$(WHEEL)[$(1)],--editable .[$(1)])

.PHONY: help demo test check check-style check-types check-imports docs wheel clean

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.for-demo
	@$(bin)/relogin demo $(ARGS)

test: $(VENV)/.for-test
	@$(if $(ARGS),,echo 'Every test takes a quarter of an hour, more on a busy machine. make test ARGS="tests/wire" runs some.')
	@$(bin)/python -m $(RUN) $(ARGS)

check: check-style check-types check-imports

check-style: $(VENV)/.for-check
	@$(bin)/ruff check
	@$(bin)/ruff format --check

# mypy proves our code; pyright, that what we export has one type for every type checker. It runs
# on Node, which it installs if there is none. niquests is read by it and never imported: it would
# replace the urllib3 of requests.
check-types: $(VENV)/.for-check
	@$(bin)/mypy
	@$(bin)/python -m pip install --quiet --no-deps --upgrade --target build/niquests niquests
	@PATH="$(abspath $(bin)):$$PATH" PYTHONPATH=build/niquests $(bin)/pyright --verifytypes relogin --ignoreexternal > build/types.txt \
	  || { cat build/types.txt; exit 1; }

check-imports: $(VENV)/.for-check
	@$(bin)/lint-imports

docs: $(VENV)/.for-test
	@$(bin)/python -m sphinx --quiet --fail-on-warning --fresh-env --conf-dir docs . build/site
	@echo "The site is in build/site: python3 -m http.server --directory build/site"

wheel: $(VENV)/.created
	@$(bin)/python -m pip wheel --quiet --no-deps --wheel-dir build/wheel .

clean:
	rm -rf build dist .coverage .coverage.* htmlcov

# Each of these files says that a step is done; a newer pyproject.toml asks for it again.

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo >&2 \
	  "relogin needs Python 3.11 or newer, and $(PYTHON) is not: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Making a virtual environment in $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(bin)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@touch $@

$(VENV)/.for-demo: $(VENV)/.created pyproject.toml
	@echo "Installing relogin and what the demo needs (once) ..."
	@$(bin)/python -m pip install --quiet $(call extra,cli)
	@touch $@

$(VENV)/.for-test: $(VENV)/.created pyproject.toml
	@echo "Installing relogin and what the tests need (once, a minute or two) ..."
	@$(bin)/python -m pip install --quiet $(package) --group test
	@touch $@

$(VENV)/.for-check: $(VENV)/.for-test
	@echo "Installing what the checks need (once) ..."
	@$(bin)/python -m pip install --quiet --group dev
	@touch $@
