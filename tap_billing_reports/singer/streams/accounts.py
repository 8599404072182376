"""`accounts`: customers, companies, Stripe accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.declare.converters import as_json
from tap_billing_reports.singer.streams.base import BillingStream

if TYPE_CHECKING:
    from collections.abc import Iterator


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
                    "source_record": self.source_record(account.record),
                }
            )
