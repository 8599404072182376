"""A vendor of one's own: found by its entry point, read like ours, without a line of the tap changed."""

from __future__ import annotations

import json

from tests.examples.places import EXAMPLE, ROOT

SOURCE = EXAMPLE / "tap_billing_reports_acme" / "source.py"


def test_its_declaration_is_one_page():
    assert len(SOURCE.read_text().splitlines()) <= 120


def test_its_own_tests_pass_against_the_installed_package(with_acme):
    ran = with_acme("-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests"), cwd=EXAMPLE)
    assert ran.returncode == 0, ran.stdout[-4000:]


def test_killed_after_each_call(with_acme):
    """In a process of its own: this one knows the tap without the example."""
    module = "tests/examples/acme_killed.py"
    ran = with_acme("-m", "pytest", "-q", "-p", "no:cacheprovider", module, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout[-4000:]


def test_its_settings_are_the_taps(with_acme, tmp_path):
    ran = with_acme("-m", "tap_billing_reports", "--about", "--format=json", cwd=tmp_path)
    properties = json.loads(ran.stdout)["settings"]["properties"]
    assert properties["acme_api_key"]["secret"] is True
    assert properties["acme_base_url"]["default"] == "https://api.acme-pay.example"


def test_its_columns_are_there_only_while_it_is_on(with_acme, tmp_path):
    def invoice_columns(**settings):
        (tmp_path / "config.json").write_text(json.dumps({"start_date": "2026-01-01", **settings}))
        ran = with_acme("-m", "tap_billing_reports", "--config", "config.json", "--discover", cwd=tmp_path)
        streams = {stream["tap_stream_id"]: stream for stream in json.loads(ran.stdout)["streams"]}
        return set(streams["invoices"]["schema"]["properties"]), set(streams)

    off, streams_off = invoice_columns(stripe_api_key="sk_test_nothing", stripe_account_id="x")
    on, streams_on = invoice_columns(acme_api_key="key of nobody", acme_reports=[{"report_type": "settlements"}])
    assert on - off == {"acme_project"}
    assert streams_on - streams_off == {"acme_settlements"}


def test_it_uses_nothing_of_the_tap_but_what_a_declaration_may():
    allowed = {"declare", "core", "http"}
    lines = [line for line in SOURCE.read_text().splitlines() if line.startswith("from tap_billing_reports")]
    used = {(line.split()[1].partition(".")[2] or line.split()[3]).partition(".")[0] for line in lines}
    assert lines
    assert used <= allowed
