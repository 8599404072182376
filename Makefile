# Everything one does with the project. Only python3 (3.11 to 3.14), make and git are assumed.
#   make demo [BREAK=1]   the whole way, without any account: emulated vendors -> Meltano -> DuckDB, totals compared
#   make pictures         the page for the end of a month, of what the demo loaded (runs the demo when it has not run yet)
#   make test             lint, types and tests
#   make lint             ruff, mypy, import-linter, detect-secrets and zizmor alone; then the lines by folder
#   make bench            the benchmarks' table
#   make faults           proves that nothing is lost, doubled or leaked: faults, kills, hostile input; an hour
#   make models [BREAK=1]  builds and tests the dbt package on DuckDB and PostgreSQL, compares views, totals and targets; writes docs/models.md
#   make targets          the demo's data through the well-used targets; writes docs/targets.md
#   make airflow [BREAK=1]  three vendors through Apache Airflow into one PostgreSQL, totals compared
#   make airflow-celery   the same with Redis and two workers, one of which is killed in the middle
#   make dlt              examples/dlt: two syncs through dlt into DuckDB, totals compared
#   make docs             the site of these pages, in site/; writes their generated parts anew
#   make clean            removes what the verbs made; a Meltano state of your own and .env stay

.DEFAULT_GOAL := test
.PHONY: setup demo pictures test lint bench faults models targets airflow airflow-celery dlt docs clean

PY := .venv/bin/python
# What Python compiles is kept, whatever the caller's environment says: the tests start hundreds of processes, and each
# would compile the package anew.
export PYTHONDONTWRITEBYTECODE :=
# The package without its sandbox (pyproject.toml leaves that out): untested lines here cost somebody money.
COVERAGE := --cov --cov-report=term:skip-covered --cov-fail-under=95

setup:
	@sh scripts/with_python.sh scripts/venvs.py project

demo: setup
	@sh scripts/with_python.sh scripts/venvs.py meltano
	@$(PY) -m scripts.demo $(if $(filter-out 0,$(BREAK)),--break)

pictures: setup
	@test -f output/demo.duckdb || $(MAKE) --no-print-directory demo
	@.venv/bin/billing-reports views --in duckdb:output/demo.duckdb \
		--orders "read_csv('$(CURDIR)/output/demo/orders.csv', all_varchar = true)" --order-column order_number
	@.venv/bin/billing-reports page --from duckdb:output/demo.duckdb --out output/demo.html \
		--note "The vendors of this page, their customers and all amounts are invented: it shows what make demo has loaded."

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PY) -m scripts.known_secrets
	.venv/bin/zizmor --offline --no-progress --quiet --config .github/zizmor.yml .github/workflows .github/dependabot.yml examples/github-actions/billing-sync.yml
	@$(PY) -m scripts.lines

# The environment first: it is made once, not by whichever of the two workers comes to them first.
test: lint
	@sh scripts/with_python.sh scripts/venvs.py meltano
	$(PY) -m pytest -p tests.no_skips -n 2 --dist loadfile --no-loadscope-reorder $(COVERAGE)

bench: setup
	$(PY) -m benchmarks

faults: setup
	@$(PY) -m scripts.faults

models: setup
	@$(PY) -m scripts.models $(if $(filter-out 0,$(BREAK)),--break)

targets: setup
	$(PY) -m scripts.targets

airflow: setup
	@$(PY) -m scripts.airflow $(if $(filter-out 0,$(BREAK)),--break)

airflow-celery: setup
	@$(PY) -m scripts.airflow --celery

dlt: setup
	@sh scripts/with_python.sh scripts/venvs.py dlt
	$(PY) -m pytest -p tests.no_skips tests/examples/test_dlt.py

docs: setup
	@sh scripts/with_python.sh scripts/venvs.py docs
	@$(PY) -m scripts.docs

clean:
	@sh scripts/with_python.sh scripts/clean.py
