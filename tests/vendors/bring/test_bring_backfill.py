"""An earlier `start_date`: what lies before is read once, and nothing that was read is ordered again."""

from __future__ import annotations

from typing import Any

import pytest

CUSTOMER = "20000770011"
LINES, DOCUMENTS = "bring_invoice_lines", "invoice_documents"
# A short look-back: what was done is soon forgotten, and must not be taken for new.
LATE, EARLY = "2026-10-01", "2026-06-01"


@pytest.fixture
def config(bring):
    def make(start_date, **more):
        return bring.config(start_date, bring_customers=[CUSTOMER], bring_lookback_days=5, **more)

    return make


def merged(*results):
    """What a target that upserts holds after these syncs: stream -> records."""
    held: dict[str, Any] = {}
    for result in results:
        for stream, records in result.records.items():
            keys = result.keys[stream]
            held.setdefault(stream, {}).update({tuple(record[key] for key in keys): record for record in records})
    return held


def first_days(bring):
    return [entry["query"].partition("fromDate=")[2][:10] for entry in bring.asked("/invoices/")]


def invoices_with_lines(result):
    return {record["period"] for record in result.of(LINES)}


def test_invoices_and_their_lines_come_once(bring, config, caplog):
    caplog.set_level("INFO", "tap-billing-reports")
    late = bring.run(config(LATE))
    assert late.status == 0, late.log
    early = bring.run(config(EARLY), state=late.state)
    assert early.status == 0, early.log
    assert first_days(bring) == ["01.06.2026"]
    assert "start_date lies before 2026-10-01: listing all from there" in early.log
    whole = bring.control.totals(config(EARLY))
    assert len(merged(late, early)["invoices"]) == whole["invoices"]["bring"]["rows"] > len(late.of("invoices"))
    rows = merged(late, early)[LINES]
    assert len(rows) == whole[LINES]["bring"]["rows"] > len(late.of(LINES))
    assert invoices_with_lines(early)
    assert not invoices_with_lines(early) & invoices_with_lines(late)
    assert bring.orders() == len(invoices_with_lines(early)), "none that was done"
    again = bring.run(config(EARLY), state=early.state)
    assert bring.orders() == 0
    assert first_days(bring) != ["01.06.2026"], "back to the look-back"
    assert again.status == 0, again.log
    back = bring.run(config(LATE), state=again.state)
    assert (back.status, invoices_with_lines(back)) == (0, set())
    begun = [result.of("accounts")[0]["invoices_from"] for result in (late, early, again, back)]
    assert begun == [LATE, EARLY, EARLY, EARLY], "what was asked for once stays loaded"


def test_it_may_take_several_syncs(bring, config):
    late = bring.run(config(LATE))
    done, state = set(invoices_with_lines(late)), late.state
    missing = invoices_with_lines(bring.run(config(EARLY))) - done
    assert len(missing) > 3
    while missing:
        bring.control.advance(86_400)
        step = bring.run(config(EARLY, max_new_runs=1, end_date="2026-11-20"), state=state)
        assert step.status == 0, step.log
        assert not invoices_with_lines(step) & done, "waiting ones have older lists asked for, and nothing done again"
        assert len(invoices_with_lines(step)) == 1
        missing -= invoices_with_lines(step)
        done |= invoices_with_lines(step)
        state = step.state


def test_a_range_that_leaves_a_gap_fills_only_itself(bring, config):
    late = bring.run(config(LATE))
    gap = bring.run(config(EARLY, end_date="2026-07-01"), state=late.state)
    assert gap.status == 0, gap.log
    assert {record["invoice_date"][:7] for record in gap.of("invoices")} == {"2026-06"}
    rest = bring.run(config(EARLY), state=gap.state)
    assert rest.status == 0, rest.log
    assert first_days(bring) == ["01.06.2026"], "what lies between is still unread"
    whole = bring.control.totals(config(EARLY))
    assert len(merged(late, gap, rest)[LINES]) == whole[LINES]["bring"]["rows"]
    assert not invoices_with_lines(rest) & (invoices_with_lines(gap) | invoices_with_lines(late))


def test_documents_that_are_kept_are_not_fetched_again(bring, config, tmp_path):
    more = {"storage_url": str(tmp_path), "bring_invoice_documents": True, "bring_invoice_lines": False}
    late = bring.run(config(LATE, **more))
    early = bring.run(config(EARLY, **more), state=late.state)
    assert (late.status, early.status) == (0, 0)
    assert len(merged(late, early)[DOCUMENTS]) == len(merged(late, early)["invoices"])
    fetched = {entry["path"].rpartition("/")[2].partition(".")[0] for entry in bring.asked("/pdf/")}
    assert fetched
    assert not fetched & {record["invoice_id"] for record in late.of(DOCUMENTS)}
    bring.run(config(EARLY, **more), state=early.state)
    assert not bring.asked("/pdf/")


def test_what_bring_no_longer_keeps_is_named_once(bring, config):
    late = bring.run(config("2025-12-15", bring_invoice_lines=False))
    early = bring.run(config("2025-09-01", bring_invoice_lines=False), state=late.state)
    (check,) = [record for record in early.of("reconciliations") if record["check"] == "unreachable_range"]
    assert check["reason"].startswith("2025-09-01 to 2025-11-19 cannot be read any more")
    again = bring.run(config("2025-09-01", bring_invoice_lines=False), state=early.state)
    assert not [record for record in again.of("reconciliations") if record["check"] == "unreachable_range"]
