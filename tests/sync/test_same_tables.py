"""`billing-reports sync` and `tap | target-billing-reports` leave the same tables, cell by cell."""

from __future__ import annotations

from tests.sync.moment import NOW
from tests.sync.syncing import contents, load, messages, settings_in, sync
from tests.warehouse.places import place_in


def test_two_syncs_with_a_new_column_between_them(sandbox, place, tmp_path, request):
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    server = request.getfixturevalue("server") if place.engine == "postgres" else None
    other = place_in(place.engine, other_folder, server)
    config = settings_in(tmp_path, sandbox, decimals_as="string" if place.engine == "duckdb" else "number")

    def twice(step):
        sandbox.control.reset(at=NOW)
        for _ in range(2):
            step()
            sandbox.control.next_day()
            sandbox.control.advance(6 * 86_400)
            sandbox.control.options["stripe_extra_columns"] = {"Loyalty tier": "gold, \u00e5"}

    state: list[str | None] = [None]

    def by_messages():
        state[0] = load(other, messages(config, state[0]))

    twice(lambda: sync(place, config))
    twice(by_messages)
    found, wanted = contents(place), contents(other)
    assert list(found) == list(wanted)
    for name in wanted:
        assert found[name] == wanted[name], name
    assert len(found["stripe_balance_change_from_activity_itemized_3"][1]) > 100
    assert len(found["bring_invoice_lines"][1]) > 20
