"""Writes the extractor's definition in Meltano Hub's form, from the one in meltano.yml.

python scripts/hub_definition.py            writes it
python scripts/hub_definition.py --check    exit status 1 when the file is not what would be written
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
VARIANT = "tap-billing-reports"
FILE = ROOT / "meltano-hub" / "_data" / "meltano" / "extractors" / "tap-billing-reports" / f"{VARIANT}.yml"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

USAGE = """\
Each vendor whose settings are there is read. An ordered report that is not ready stays in the state, and the next run
goes on with it. `meltano invoke tap-billing-reports --test` orders no report.

Amounts are exact decimals, sent as text. Load into a target that updates rows by key: a period that is read again
overwrites itself, and rows that the vendor no longer has come with `_sdc_deleted_at`.
"""


def definition() -> dict[str, Any]:
    """The hub's entry; settings and capabilities are those of meltano.yml, which a test holds against the tap."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (tap,) = project["plugins"]["extractors"]
    # An address of the source is not in here: whoever publishes the tap adds it as `repo`.
    return {
        "name": tap["name"],
        "namespace": tap["namespace"],
        "variant": VARIANT,
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
        "settings_group_validation": [
            ["start_date", "stripe_api_key", "stripe_account_id"],
            ["start_date", "bring_api_uid", "bring_api_key", "bring_client_url"],
            ["start_date", "brp_api_url", "brp_api_key", "brp_currency"],
            ["start_date", "klarna_username", "klarna_password"],
            ["start_date", "vipps_client_id", "vipps_client_secret", "vipps_subscription_key"],
        ],
        "settings": tap["settings"],
        "usage": USAGE,
    }


def text() -> str:
    """The file's content."""
    said: str = yaml.safe_dump(definition(), sort_keys=False, allow_unicode=True, width=110)
    return "# Written by scripts/hub_definition.py from meltano.yml.\n" + said


def main(arguments: list[str]) -> int:
    """The exit status."""
    if arguments == ["--check"]:
        return 0 if yaml.safe_load(FILE.read_text(encoding="utf-8")) == definition() else 1
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
