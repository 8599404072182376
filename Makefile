# Everything one does with the project. Only python3 (3.10 to 3.13), make and git are assumed.
#   make demo [BREAK=1]   the whole way, without any account: emulated vendors -> Meltano -> DuckDB, totals compared
#   make pictures         one page of charts from what the demo loaded (runs the demo when it has not run yet)
#   make test             lint, types and tests
#   make lint             ruff and mypy alone
#   make bench            the benchmarks' table
#   make faults           the fault matrix
#   make targets          the demo's data through the well-used targets; writes docs/targets.md
#   make clean            removes what the verbs made; a Meltano state of your own and .env stay

.DEFAULT_GOAL := test
.PHONY: setup demo pictures test lint bench faults targets clean

PY := .venv/bin/python

setup:
	@sh scripts/with_python.sh scripts/venvs.py project

demo: setup
	@sh scripts/with_python.sh scripts/venvs.py meltano
	@$(PY) -m scripts.demo $(if $(filter-out 0,$(BREAK)),--break)

pictures: setup
	@test -f output/demo.duckdb || $(MAKE) --no-print-directory demo
	@sh scripts/with_python.sh scripts/venvs.py pictures
	@.tools/pictures/bin/python -m scripts.pictures

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

test: lint
	$(PY) -m pytest -p tests.no_skips

bench: setup
	$(PY) -m benchmarks

faults: setup
	$(PY) -m pytest -p tests.no_skips -m faults tests/faults

targets: setup
	$(PY) -m scripts.targets

clean:
	@sh scripts/with_python.sh scripts/clean.py
