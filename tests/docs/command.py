"""`billing-reports` as the blocks of the pages run it: its sandbox has less of the same, and what is shown is there.

Five weeks, the end of a month among them, instead of ninety days; one ledger of Vipps MobilePay's instead of four, each
of whose days is a call.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from tap_billing_reports.cli.main import main as command
from tap_billing_reports.sandbox import control, emulation
from tap_billing_reports.sandbox.vipps import api
from tap_billing_reports.sandbox.vipps.ledgers import LEDGERS

HISTORY = timedelta(days=35)


def main() -> None:
    """Emulates the vendors that EMULATED names, or all."""
    control.DEFAULT_HISTORY = HISTORY
    vars(api)["LEDGERS"] = LEDGERS[:1]
    if "EMULATED" in os.environ:
        emulation.VENDORS = {name: emulation.VENDORS[name] for name in os.environ["EMULATED"].split()}
    command(prog_name=sys.argv[0])
