"""`python -m tap_billing_reports` is the Singer command."""

from tap_billing_reports.singer.tap import TapBillingReports

TapBillingReports.cli()
