"""`billing-reports` as the blocks of the pages run it.

What its sandbox suggests are ninety days of data: forty take half as long, and show no less.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from tap_billing_reports.cli.main import main as command
from tap_billing_reports.sandbox import control, emulation


def main() -> None:
    """Emulates the vendors that EMULATED names, or all."""
    control.DEFAULT_HISTORY = timedelta(days=40)
    if "EMULATED" in os.environ:
        emulation.VENDORS = {name: emulation.VENDORS[name] for name in os.environ["EMULATED"].split()}
    command(prog_name=sys.argv[0])
