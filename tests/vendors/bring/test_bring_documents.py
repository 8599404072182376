"""Invoice PDFs: fetched once, checked, kept; one that is missing stops nothing (issue 4, point 3)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tap_billing_reports.core.errors import StateError
from tests.running import selecting

PARCELS, OLD, HOME = "20000770011", "PARCELS_NORWAY-00012770011", "20000770022"
PDF = "/invoicearchive/pdf/"
MISSING = "4700000091"
"""The one invoice of these days without a PDF."""


@pytest.fixture
def config(bring, tmp_path):
    return bring.config(bring_invoice_documents=True, bring_invoice_lines=False, storage_url=str(tmp_path / "kept"))


def fetched(bring):
    return [entry["path"].rpartition("/")[2].removesuffix(".pdf") for entry in bring.asked(PDF)]


def documents(result):
    """Invoice -> record."""
    return {record["invoice_id"]: record for record in result.of("invoice_documents")}


def test_every_invoice_has_a_record_and_its_file_is_what_the_record_says(bring, config):
    result = bring.run(config)
    found = documents(result)
    expected = bring.control.totals(config)["invoice_documents"]["bring"]
    assert (result.status, len(found), result.doubles()) == (0, expected["rows"], {})
    assert set(found) == {invoice["invoice_id"] for invoice in result.of("invoices")}
    kept = {number: record for number, record in found.items() if record["error"] is None}
    assert set(found) - set(kept) == {MISSING}
    assert str(sum(record["size"] for record in kept.values())) == expected["sums"]["size"]
    for number, record in kept.items():
        path = Path(urlsplit(record["uri"]).path)
        body = path.read_bytes()
        assert path.parts[-4:] == ("documents", "bring", record["account_id"], f"{number}.pdf")
        assert body.startswith(b"%PDF-")
        assert (record["size"], record["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
        assert (record["document"], record["content_type"]) == ("pdf", "application/pdf")
        assert record["fetched_at"].startswith("2026-11-20T09:30")
    assert len(fetched(bring)) == len(found)


def test_documents_are_off_unless_the_setting_is_on(bring, config):
    result = bring.run({**config, "bring_invoice_documents": False})
    assert not result.of("invoice_documents")
    assert not bring.asked(PDF)


class TestAgain:
    def test_the_next_sync_fetches_none_but_the_missing_one(self, bring, config):
        state = bring.run(config).state
        result = bring.run(config, state=state)
        assert list(documents(result)) == fetched(bring) == [MISSING]
        assert result.of("invoice_documents")[0]["error"]

    def test_a_missing_one_that_has_come_is_fetched(self, bring, config):
        state = bring.run(config).state
        bring.control.fault({"status": 200, "body": "%PDF-1.4 now here\n%%EOF"}, {"path": MISSING})
        result = bring.run(config, state=state)
        record = documents(result)[MISSING]
        assert (record["error"], record["size"]) == (None, 23)
        bring.run(config, state=result.state)
        assert fetched(bring) == []

    def test_a_missing_one_is_given_up_beyond_the_look_back(self, bring, config):
        state = bring.run(config).state
        result = bring.run({**config, "bring_lookback_days": 3}, state=state)
        assert fetched(bring) == []
        assert not result.of("invoice_documents")

    def test_without_a_state_the_kept_files_are_used(self, bring, config):
        first = bring.run(config)
        again = bring.run(config)
        assert fetched(bring) == [MISSING]
        assert documents(again).keys() == documents(first).keys()
        unchanged = {n: r for n, r in documents(first).items() if n != MISSING}
        assert {n: documents(again)[n] for n in unchanged} == unchanged

    @pytest.mark.parametrize("harm", ["gone", "cut", "changed", "note gone"])
    def test_a_kept_file_that_no_longer_matches_is_fetched_again(self, bring, config, harm):
        first = bring.run(config)
        number, record = next((n, r) for n, r in documents(first).items() if r["uri"])
        path = Path(urlsplit(record["uri"]).path)
        body = path.read_bytes()
        if harm == "gone":
            path.unlink()
        elif harm == "note gone":
            path.with_name(path.name + ".json").unlink()
        else:
            path.write_bytes(body[:-9] if harm == "cut" else body.replace(b"1", b"2"))
        # What has changed and kept its length shows only when it is read.
        state = first.state if harm in {"gone", "cut"} else None
        result = bring.run(config, state=state)
        assert sorted(fetched(bring)) == sorted([number, MISSING])
        assert path.read_bytes() == body
        assert documents(result)[number]["sha256"] == record["sha256"]

    def test_the_state_forgets_what_the_look_back_cannot_list_again(self, bring, config):
        config["start_date"] = "2026-05-01"
        state = bring.run(config).state
        parts = state["bookmarks"]["invoice_documents"]["documents"]
        assert isinstance(parts, list)
        for part in parts:
            assert part["version"] == 1
            days = [item[0] for item in part["done"]]
            assert days
            assert min(days) >= part["seen"][:4]
            assert (len(days), part["retry_from"]) == (len([d for d in days if d >= "2026-08"]), None)

    @pytest.mark.parametrize(
        "part",
        ["x", {"version": 2}, {"version": 1}, {"version": 1, "source": "bring", "account_id": "1", "done": [["x"]]}],
    )
    def test_a_foreign_state_is_refused(self, bring, config, part):
        with pytest.raises(StateError, match="invoice_documents"):
            bring.run(config, state={"bookmarks": {"invoice_documents": {"documents": [part]}}})


class TestWhatIsNoPdf:
    @pytest.mark.parametrize(
        ("fault", "said"),
        [
            ({"status": 404, "body": "Not Found"}, "HTTP 404 (Not Found): no proof that it is gone"),
            ({"status": 404, "body": ""}, "HTTP 404: no proof that it is gone"),
            ({"status": 404, "body": "<html><body>nginx</body></html>"}, "HTTP 404: no proof that it is gone"),
            ({"status": 404, "body": {"message": "no Route matched"}}, "no Route matched"),
            ({"status": 404, "body": {"errors": []}}, "no proof that it is gone"),
            ({"status": 404, "body": {"errors": "none"}}, "no proof that it is gone"),
            ({"status": 410, "body": "<String>Gone</String>"}, "no proof that it is gone"),
            ({"html": True}, "a web page instead of data"),
            ({"status": 200, "body": "<!doctype html><html>"}, "a web page instead of data"),
            ({"status": 200, "body": '{"error": 1}'}, "what came is no PDF"),
            ({"empty": True}, "what came is no PDF"),
            ({"status": 400, "body": "Invalid"}, "HTTP 400"),
            ({"redirect": "https://files.example/x.pdf"}, "nothing was sent there"),
        ],
    )
    def test_is_a_failure_with_a_record_and_the_others_go_on(self, bring, config, fault, said):
        number = bring.run({**config, "bring_invoice_documents": False}).of("invoices")[0]["invoice_id"]
        bring.control.fault(fault, {"path": f"{PDF}.*/{number}"})
        result = bring.run(config)
        found = documents(result)
        assert result.status == 1
        account = found[number]["account_id"]
        assert f"ERROR bring account {account}: the PDF cannot be had of invoice {number}; the first: " in result.log
        assert said in found[number]["error"]
        assert [found[number][name] for name in ("uri", "size", "sha256", "fetched_at")] == [None] * 4
        assert {n for n, record in found.items() if record["error"]} == {number, MISSING}
        again = bring.run(config, state=result.state)
        assert again.status == 1
        assert sorted(fetched(bring)) == sorted([number, MISSING])
        bring.control.clear_faults()
        healed = bring.run(config, state=again.state)
        assert healed.status == 0, healed.log
        assert documents(healed)[number]["error"] is None

    @pytest.mark.parametrize("status", [404, 410])
    @pytest.mark.parametrize("key", ["errors", "messages"])
    def test_only_the_vendors_own_form_says_that_there_is_none(self, bring, config, key, status):
        body = {key: [{"code": "NOT_FOUND", "description": "No such document"}]}
        bring.control.fault({"status": status, "body": body}, {"path": f"{PDF}{PARCELS}"})
        result = bring.run(config)
        assert result.status == 0, result.log
        ours = [record for record in documents(result).values() if record["account_id"] == PARCELS]
        assert ours
        assert all("NOT_FOUND: No such document" in record["error"] for record in ours)

    def test_a_proxy_that_answers_404_for_all_is_one_failure_an_account_and_loses_none(self, bring, config):
        bring.control.fault({"status": 404, "body": "<html>nginx</html>"}, {"path": PDF})
        result = bring.run(config)
        assert result.status == 1
        found = documents(result)
        assert set(found) == {invoice["invoice_id"] for invoice in result.of("invoices")}
        accounts = {record["account_id"] for record in found.values()}
        for account in accounts:
            assert result.log.count(f"ERROR bring account {account}: the PDF cannot be had of invoice ") == 1
        # Far beyond the look-back: what is no word of the vendor's gives no document up.
        bring.control.clear_faults()
        healed = bring.run({**config, "bring_lookback_days": 1}, state=result.state)
        assert healed.status == 0, healed.log
        assert {n for n, record in documents(healed).items() if record["error"]} == {MISSING}
        assert set(documents(healed)) == set(found)

    def test_one_that_is_cut_without_a_sign_is_fetched_again_and_then_later(self, bring, config):
        config["start_date"] = "2026-05-01"
        oldest = min(
            bring.run({**config, "bring_invoice_documents": False}).of("invoices"),
            key=lambda invoice: invoice["invoice_date"],
        )
        number = oldest["invoice_id"]
        cut = {"cut": {"after": 300, "framing": "chunked"}}
        bring.control.fault(cut, {"path": f"{PDF}.*/{number}"}, times=2)
        assert documents(bring.run(config))[number]["error"] is None
        bring.control.clear_faults()

        bring.control.fault(cut, {"path": f"{PDF}.*/{number}"})
        config["storage_url"] += "-2"
        result = bring.run(config)
        assert "ends before its end mark" in documents(result)[number]["error"]
        assert fetched(bring).count(number) == 3
        # It is far older than the look-back; the reason was a passing one, so it is not given up.
        bring.control.clear_faults()
        result = bring.run(config, state=result.state)
        assert documents(result)[number]["error"] is None
        bring.run(config, state=result.state)
        assert number not in fetched(bring)

    def test_one_that_is_forbidden_stops_no_other(self, bring, config):
        whole = documents(bring.run(config))
        first = next(n for n, record in whole.items() if record["account_id"] == PARCELS and not record["error"])
        bring.control.fault({"status": 403, "body": "Forbidden"}, {"path": f"{PDF}.*/{first}.pdf"})
        again = {**config, "storage_url": f"{config['storage_url']}-again"}
        result = bring.run(again)
        assert result.status == 1
        assert {n for n, record in documents(result).items() if record["error"]} == {first, MISSING}
        assert set(documents(result)) == set(whole)
        bring.control.clear_faults()
        healed = bring.run(again, state=result.state)
        assert documents(healed)[first]["error"] is None

    def test_a_refused_credential_ends_the_account_and_is_a_failure(self, bring, config):
        bring.control.fault({"status": 401, "body": "Forbidden"}, {"path": f"{PDF}{PARCELS}"})
        result = bring.run(config)
        assert result.status == 1
        assert "HTTP 401 (Forbidden); check the settings bring_api_uid" in result.log
        accounts = {record["account_id"] for record in documents(result).values()}
        assert PARCELS not in accounts
        assert HOME in accounts

    def test_a_vendor_that_is_silent_three_times_is_not_asked_for_the_others(self, bring, config):
        bring.control.fault({"status": 503}, {"path": f"{PDF}{PARCELS}"})
        result = bring.run(config)
        assert result.status == 1
        ours = [record for record in documents(result).values() if record["account_id"] == PARCELS]
        assert [bool(record["error"]) for record in ours] == [True, True]
        assert any(record["account_id"] == HOME for record in documents(result).values())
        bring.control.clear_faults()
        healed = bring.run(config, state=result.state)
        assert healed.status == 0
        assert {n for n, record in documents(healed).items() if record["error"]} == {MISSING}
        assert any(record["account_id"] == PARCELS for record in documents(healed).values())


def test_one_invoice_under_two_accounts_is_fetched_once(bring, config):
    config["bring_customers"] = [PARCELS, OLD]
    result = bring.run(config)
    assert (result.status, result.doubles()) == (0, {})
    assert len(fetched(bring)) == len(set(fetched(bring))) == len(result.of("invoices"))
    config["bring_customers"] = [OLD, PARCELS]
    again = bring.run(config, state=result.state)
    assert fetched(bring) == []
    assert not again.of("invoice_documents")


def test_what_one_account_is_refused_is_had_through_another_that_lists_it(bring, config):
    config["bring_customers"] = [OLD, PARCELS]
    bring.control.fault({"status": 404}, {"path": f"/pdf/{OLD}/"})
    result = bring.run(config)
    table = documents(result)
    assert table
    assert {number for number, record in table.items() if record["error"]} <= {MISSING}
    again = bring.run(config, state=result.state)
    assert not [record for record in again.of("invoice_documents") if record["invoice_id"] != MISSING]


def test_names_from_a_vendor_stay_inside_their_folder(bring, config, tmp_path):
    record = {"invoiceNumber": "../y", "invoiceDate": "20.11.2026", "customerNumber": "../../x"}
    body = "%PDF-1.4\n%%EOF"
    bring.control.fault({"status": 200, "body": [record]}, {"path": "/api/invoices/"})
    bring.control.fault({"status": 200, "body": body}, {"path": PDF})
    result = bring.run(config)
    assert result.of("invoice_documents")[0]["size"] == len(body)
    kept = list(tmp_path.rglob("*.pdf"))
    assert len(kept) == 1
    assert kept[0].is_relative_to(tmp_path / "kept" / "documents" / "bring")


def test_the_notes_beside_the_files_hold_no_secret(bring, config, tmp_path):
    bring.run(config)
    notes = [json.loads(path.read_text()) for path in (tmp_path / "kept" / "documents").rglob("*.json")]
    assert notes
    assert {frozenset(note) for note in notes} == {frozenset({"uri", "size", "sha256", "content_type", "fetched_at"})}


def test_a_test_of_the_connection_keeps_nothing(bring, config, tmp_path):
    from tap_billing_reports.singer.tap import TapBillingReports

    tap = TapBillingReports(config=config)
    assert tap.run_connection_test()
    assert not (tmp_path / "kept" / "documents").exists()


def test_the_setting_needs_a_place(bring, config):
    from singer_sdk.exceptions import ConfigValidationError

    del config["storage_url"]
    with pytest.raises(ConfigValidationError) as caught:
        bring.run(config)
    assert "setting storage_url is missing" in str(caught.value.errors)


def test_documents_can_be_had_alone(bring, config):
    result = bring.run(config, catalog=selecting(config, "invoice_documents"))
    assert set(result.records) == {"invoice_documents"}
    assert set(documents(bring.run(config))) == set(documents(result))
