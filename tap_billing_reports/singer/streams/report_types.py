"""`report_types`: what can be ordered, by account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import Unreadable
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.declare.client import map_fields
from tap_billing_reports.singer.streams.base import BillingStream

if TYPE_CHECKING:
    from collections.abc import Iterator


class ReportTypes(BillingStream):
    """The vendors' own lists, whole each time: accounts differ in what they may order."""

    name = "report_types"
    primary_keys = ("source", "account_id", "report_type", "variant")

    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        for source, account in self.session.all_accounts():
            api = source.report_types
            if api is None:
                continue
            about = About(source.name, account.account_id)
            with self.session.isolated(self.name, about):
                source_client = self.session.open(source)
                offered: dict[str, set[str] | None] = {}
                if source.reports is not None and self.ABORT_AT_RECORD_COUNT is None:
                    offered = self.billing_tap.lifecycle.client(source.name).offered
                offered[account.account_id] = None
                found: set[str] = set()
                is_whole = True
                for record in source_client.records(api.endpoint, path=api.path(account), account=account):
                    try:
                        columns = map_fields(api.fields, record)
                        if not columns.get("report_type"):
                            raise ValueError("it has no id")
                    except ValueError as error:
                        # One by itself: the others of the list can be read all the same.
                        text, remedy = f"a report type cannot be read: {error}", Unreadable.remedy
                        self.session.fail(Failure.of(text, about, stream=self.name, remedy=remedy))
                        is_whole = False
                        continue
                    found.add(columns["report_type"])
                    yield self.complete(
                        {
                            "variant": "default",
                            **columns,
                            "source": source.name,
                            "account_id": account.account_id,
                            "source_record": self.source_record(record),
                        }
                    )
                if is_whole:
                    offered[account.account_id] = found
