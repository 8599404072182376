"""What the rows of Stripe's reports must agree with: each other, and another report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_billing_reports import declare as d
from tap_billing_reports.declare.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN: Mapping[str, Mapping[str, Any]] = catalogue("stripe")["report_types"]


def compared(report: d.Report) -> d.ComparedTotal | None:
    """`x.itemized.3` and `x.summary.1` account for the same movements."""
    found = re.match(r"(.+)\.(itemized|summary)\.", report.report_type)
    # Of a type that nobody has described, its file shows whether it has the column.
    columns = report.columns or KNOWN.get(report.report_type, {}).get("columns", ())
    if found is None or (columns and "net" not in columns):
        return None
    return d.ComparedTotal(found[1], found[2], "net")


def row_identity(report: d.Report) -> d.RowIdentity | None:
    """`net` is `gross` without `fee`, in each row that a balance report itemises (docs.stripe.com/reports/balance)."""
    is_itemized = re.search(r"\.itemized\.[0-9]+$", report.report_type) is not None
    columns = KNOWN.get(report.report_type, {}).get("columns", ())
    amounts = {"gross", "fee", "net"}
    # Of a type whose columns nobody has described, the file of a balance report has them.
    of_balance = re.match(r"(connected_account_)?(balance|payout|ending_balance|failed_payout)", report.report_type)
    if not is_itemized or not (amounts <= {*columns} or (not columns and of_balance)):
        return None
    return d.RowIdentity(whole="gross", less="fee", rest="net")


def rolls_forward(report: d.Report) -> d.RollForward | None:
    """Rows of a balance summary by its `category`: docs.stripe.com/reports/report-types/balance."""
    if re.fullmatch(r"(connected_account_)?(financial_account_)?balance\.summary\.[0-9]+", report.report_type) is None:
        return None
    return d.RollForward(
        kind="category", amount="net_amount", currency="currency", start="starting_balance", end="ending_balance"
    )
