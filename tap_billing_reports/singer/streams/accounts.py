"""`accounts`: customers, companies, Stripe accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.declare.converters import as_json
from tap_billing_reports.reports.per_invoice import LISTED_FROM
from tap_billing_reports.singer.streams.base import BillingStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.declare import Account, Source

INVOICES = "invoices"


class Accounts(BillingStream):
    """Every account that is read, whole each time."""

    name = "accounts"
    primary_keys = ("source", "account_id")

    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        for source, account in self.session.all_accounts():
            yield self.complete(
                {
                    "source": source.name,
                    "account_id": account.account_id,
                    "kind": account.kind,
                    "name": None if account.name is None else as_json(account.name, {}),
                    "invoices_from": self._invoices_from(source, account),
                    "source_record": self.source_record(account.record),
                }
            )

    def _invoices_from(self, source: Source, account: Account) -> str | None:
        """The first day whose invoices this sync or an earlier one asks for; None where the vendor has no invoices.

        Earlier ones may have begun before a start date that was moved since, or when the vendor still kept more.
        """
        if source.invoices is None:
            return None
        earliest = self.session.feed(source, account).bounds.earliest.isoformat()
        # Not by what writes a bookmark where there is none: reading must leave STATE as it is.
        partitions = self.tap_state.get("bookmarks", {}).get(INVOICES, {}).get("partitions", ())
        mine = {"source": source.name, "account_id": account.account_id}
        listed_from = next((part.get(LISTED_FROM) for part in partitions if part["context"] == mine), None)
        return min(earliest, listed_from or earliest)
