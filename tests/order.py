"""What `make test` does about files of tests that take long: they begin first, and some are left out of the coverage.

Files that begin first let the workers end together. To count lines costs as much as to run them; no line needs to be
counted in tests that go the ways of many others once more, with other values or other harm.
"""

from __future__ import annotations

# Longest first. A file is one worker's; whatever is not named here follows by its name.
LONGEST = (
    "tests/meltano/test_project.py",
    "tests/demo/test_broken_demo.py",
    "tests/meltano/test_example.py",
    "tests/faults/test_sample.py",
    "tests/docs/test_blocks.py",
    "tests/sync/test_job.py",
    "tests/warehouse/test_target.py",
    "tests/examples/test_acme_meltano.py",
    "tests/examples/test_acme_package.py",
    "tests/vendors/stripe/test_kill.py",
    "tests/vendors/stripe/test_columns_of_files.py",
    "tests/vendors/stripe/test_unsettled.py",
    "tests/vendors/bring/test_bring_orders.py",
    "tests/singer/test_termination.py",
    "tests/sync/test_same_tables.py",
    "tests/reports/bulk/test_bulk_lane.py",
    "tests/reports/bulk/test_plain_csv.py",
    "tests/reports/bulk/test_same_either_way.py",
    "tests/vendors/bring/test_bring_documents.py",
    "tests/vendors/bring/test_bring_lines.py",
    "tests/warehouse/test_changes.py",
    "tests/warehouse/test_loader.py",
    "tests/warehouse/test_values.py",
    "tests/reports/test_model.py",
    "tests/scale/test_growth.py",
    "tests/scale/test_startup.py",
    "tests/scale/test_scale.py",
)

UNMEASURED = (
    "tests/reports/bulk/test_plain_csv.py",
    "tests/reports/readers/test_hostile.py",
    "tests/reports/readers/test_hostile_ndjson.py",
    "tests/reports/test_model.py",
    "tests/scale/test_scale.py",
    "tests/sync/test_same_tables.py",
)


def longest_first(names: list[str]) -> list[int]:
    """The places of the tests with these ids, in the order in which they are to run."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    return sorted(range(len(names)), key=lambda place: ranks.get(names[place].partition("::")[0], len(LONGEST)))
