# Two commands matter on a fresh machine with Python 3.11+, git and make:
#   make dry-run   grow a small corpus with real vLLM on the CPU
#   make test      lint, types, imports, versions and every test
# PIP_FIND_LINKS (a folder of wheels) is honoured; without it uv fetches torch's CPU build from
# PyTorch's own index (TORCH_BACKEND selects another of uv's --torch-backend values).

PYTHON ?= python3
TORCH_BACKEND ?= cpu
# Byte code is written on first import whatever the shell says: vLLM and Ray start three times faster.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(VENV)/bin
WHEELS := $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)",--torch-backend $(TORCH_BACKEND))
UV_INSTALL := $(BIN)/uv pip install -q -p $(BIN)/python --no-deps
MODEL := .cache/models/SmolLM2-135M-Instruct
RECIPE ?= pipelines/dry_run.yaml
PYTEST := $(BIN)/python -m pytest

.PHONY: dry-run s3-dry-run test test-long test-pure lint faults fuzz bench ledger-bench resume-bench lock clean
.DEFAULT_GOAL := test

# A compiled lock is installed with --no-deps: resolving again would pull the overridden wheels back.
$(VENV)/.ok: requirements-cpu.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check uv
	$(UV_INSTALL) -r requirements-cpu.lock $(WHEELS)
	$(UV_INSTALL) -e .
	touch $@

$(MODEL)/.ok: | $(VENV)/.ok
	$(BIN)/python -m seedcorn.engines.prepare_model $(MODEL)
	touch $@

dry-run: $(VENV)/.ok $(MODEL)/.ok
	$(BIN)/seedcorn grow $(RECIPE)
	$(BIN)/seedcorn verify corpora/dry_run

s3-dry-run: $(VENV)/.ok $(MODEL)/.ok
	$(BIN)/python -m tests.s3_dry_run

# Every test but the long ones, in four runs side by side that take about equally long, each with a
# Ray cluster of its own where it asks for one. All vLLM engines belong to one run, so no two start at
# once. Before them the kernels are compiled, once and not in every run, beside the linters; after the
# core's tests the rest follows in two runs.
SHORT := $(PYTEST) -m "not long"
ENGINES := tests/engines tests/runtime/test_vllm_line.py tests/runtime/driver tests/security
RUNTIME := tests/runtime --ignore=tests/runtime/test_vllm_line.py --ignore=tests/runtime/driver
APART := tests/faults tests/storage tests/truths
REST := tests $(patsubst %,--ignore=%,tests/core tests/engines tests/runtime tests/security $(APART))
LOGS := $(patsubst %,.cache/%.log,lint engines core apart rest)

test: $(MODEL)/.ok
	$(MAKE) lint > .cache/lint.log 2>&1 & lint=$$!; \
	$(BIN)/python -m tests.kernels > .cache/kernels.log 2>&1 || { cat .cache/kernels.log; exit 1; }; \
	$(SHORT) $(ENGINES) > .cache/engines.log 2>&1 & engines=$$!; \
	( $(SHORT) tests/core > .cache/core.log 2>&1; code=$$?; \
	  $(SHORT) $(APART) > .cache/apart.log 2>&1 & apart=$$!; \
	  $(SHORT) $(REST) > .cache/rest.log 2>&1 || code=$$?; \
	  wait $$apart || code=$$?; exit $$code ) & others=$$!; \
	$(SHORT) $(RUNTIME); code=$$?; \
	for run in $$lint $$engines $$others; do wait $$run || code=$$?; done; \
	cat $(LOGS); exit $$code

# Clusters of several nodes and jobs on a Ray head of their own: minutes each.
test-long: $(MODEL)/.ok
	$(PYTEST) -m long

test-pure: $(VENV)/.ok
	$(BIN)/python -m pytest tests/core -m "not statistics"

lint: $(VENV)/.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/python -m seedcorn.core.ops.security_floors requirements-cpu.lock

# Thousands of schedules, hundreds of kills and S3 faults, kills of real vLLM: the tables of docs/promises.md.
faults: $(VENV)/.ok $(MODEL)/.ok
	$(BIN)/python -m tests.faults

fuzz: $(VENV)/.ok
	$(BIN)/python -m tests.fuzz --inputs 100000

bench: $(VENV)/.ok $(MODEL)/.ok
	$(BIN)/python -m tests.bench

ledger-bench: $(VENV)/.ok
	$(BIN)/python -m tests.bench.ledger
	$(BIN)/python -m tests.bench.ledger_fakes
	$(BIN)/python -m tests.bench.ledger_scale
	$(BIN)/python -m tests.bench.forecasts

resume-bench: $(VENV)/.ok
	$(BIN)/python -m tests.bench.resume

lock: $(VENV)/.ok
	$(BIN)/uv pip compile -q --no-header --no-annotate -p 3.11 pyproject.toml --extra cpu --extra dev $(WHEELS) -o requirements-cpu.lock

clean:
	rm -rf $(VENV) .cache corpora
