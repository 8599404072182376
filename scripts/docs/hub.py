"""The extractor's definition in Meltano Hub's form, from the one in meltano.yml."""

from __future__ import annotations

from typing import Any

import yaml

from scripts.docs.tables import as_yaml
from scripts.venvs import ROOT
from tap_billing_reports.vendors import all_sources

FILE = "meltano-hub/_data/meltano/extractors/tap-billing-reports/tap-billing-reports.yml"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
USAGE = """\
Each vendor whose settings are there is read. An ordered report that is not ready stays in the state, and the next run
goes on with it. `meltano invoke tap-billing-reports --test` orders no report.

Amounts are exact decimals, sent as text. Load into a target that updates rows by key: a period that is read again
overwrites itself, and rows that the vendor no longer has come with `_sdc_deleted_at`.
"""


def definition() -> str:
    """The hub's entry; settings and capabilities are those of meltano.yml, which a test holds against the tap."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = project["plugins"]["extractors"]
    # An address of the source is not in here: whoever publishes the tap adds it as `repo`.
    entry: dict[str, Any] = {
        "name": tap["name"],
        "namespace": tap["namespace"],
        "variant": "tap-billing-reports",
        "label": tap["label"],
        "description": "Invoices and reports of Bring, BRP, Klarna, Stripe and Vipps MobilePay, exact to the cent",
        "definition": "reads invoices and reports from Bring, BRP Systems, Klarna, Stripe and Vipps MobilePay",
        "pip_url": "tap-billing-reports",
        "executable": tap["executable"],
        "keywords": ["billing", "finance", "invoices", "meltano_sdk"],
        "maintenance_status": "beta",
        "quality": "unknown",
        "log_parser": "singer-sdk",
        "supported_python_versions": list(PYTHONS),
        "capabilities": sorted(tap["capabilities"]),
        "settings_group_validation": [["start_date", *source.required] for source in all_sources()],
        "settings": tap["settings"],
        "usage": USAGE,
    }
    return as_yaml(entry, "meltano.yml")
