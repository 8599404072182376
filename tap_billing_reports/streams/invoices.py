"""`invoices`: one bookmark an account, moved only when that account's whole pass succeeded."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_billing_reports.dates import utc_text
from tap_billing_reports.errors import AccountError, NotFound, StateError
from tap_billing_reports.reports.subjects import first_listed, reaches_back
from tap_billing_reports.streams.base import BillingStream
from tap_billing_reports.streams.checks import Check
from tap_billing_reports.streams.invoice_feed import Brief, InvoiceFeed
from tap_billing_reports.streams.listings import Listings, unique_checks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_billing_reports.declarations import Account, InvoiceApi, Source

UNSETTLED = "unsettled"
LISTED_FROM = "listed_from"
DELETED = "deleted"


class Invoices(BillingStream):
    """Invoices of all sources, incremental by `invoice_date` with each source's look-back.

    The bookmark never goes back and never past today; an account that breaks half way keeps its old one. A start
    date before all that was listed has everything listed from there, once.
    An invoice that is listed under several requested accounts is sent once, and is a reconciliation.
    """

    name = "invoices"
    primary_keys = ("source", "account_id", "invoice_id")
    replication_key = "invoice_date"

    @cached_property
    def _accounts(self) -> dict[tuple[str, str], tuple[Source, Account]]:
        return {
            (source.name, account.account_id): (source, account)
            for source, account in self.session.all_accounts()
            if source.invoices is not None
        }

    @property
    def partitions(self) -> list[dict[str, str]]:
        return [{"source": source, "account_id": account_id} for source, account_id in self._accounts]

    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        """The pass moves the bookmark, not the record: half a pass must not."""

    def _write_starting_replication_value(self, context: Any) -> None:
        """Where a pass starts is the look-back's affair."""

    def get_records(self, context: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
        if not context:
            return
        self.session.checkpoint()
        key = (context["source"], context["account_id"])
        bookmark = self.get_context_state(context)
        with self.session.isolated(self.name):
            yield from self._pass(*self._accounts[key], bookmark)
        if key == list(self._accounts)[-1]:
            self.session.checks.extend(self._listings.checks())

    @cached_property
    def _listings(self) -> Listings:
        return Listings()

    @cached_property
    def _overlapping(self) -> frozenset[str]:
        """The sources whose accounts may list the same invoice: those with more than one."""
        sources = [source for source, _account_id in self._accounts]
        return frozenset(source for source in sources if sources.count(source) > 1)

    def _pass(self, source: Source, account: Account, bookmark: dict[str, Any]) -> Iterator[dict[str, Any]]:
        feed = self.session.feed(source, account)
        old, today = bookmark.get("replication_key_value"), self.session.open(source).today()
        since = self._since(feed, bookmark, today)
        unsettled = {item[0]: item[1] for item in bookmark.get(UNSETTLED, ())}
        remembered = dict(unsettled)
        newest = old
        for columns, record in feed.read(since):
            if self._is_first(feed, columns):
                yield self._record(feed, columns, record)
            self._remember(feed.api, columns, unsettled)
            remembered.pop(columns["invoice_id"], None)
            day = columns.get("invoice_date")
            newest = max(filter(None, (newest, day)), default=None)
        for invoice_id, day in remembered.items():
            yield self._look_up(feed, invoice_id, day, unsettled)
        self._check_lists(feed)
        if old is not None and since.isoformat() <= old <= feed.until().isoformat() and not feed.listed:
            # A lost right, or a filter that the vendor does not understand any more, looks like that.
            named = f"{source.name} account {account.account_id}"
            self.session.note(f"{named}: no invoice is listed from {since} on, though one of {old} was before")
        if newest is not None:
            bookmark["replication_key"] = self.replication_key
            bookmark["replication_key_value"] = max(old or "", min(newest, today.isoformat()))
            if feed.api.lookback is not None:
                start_date = self.session.settings.start_date
                bookmark[LISTED_FROM] = first_listed(bookmark.get(LISTED_FROM), old, start_date, feed.until())
        if feed.api.by_id is not None:
            bookmark[UNSETTLED] = sorted([invoice_id, day] for invoice_id, day in unsettled.items())

    def _is_first(self, feed: InvoiceFeed, columns: Mapping[str, Any]) -> bool:
        if not feed.names_account or feed.source.name not in self._overlapping:
            return True
        return self._listings.is_new(feed.source.name, feed.account.account_id, Brief.of(columns))

    def _check_lists(self, feed: InvoiceFeed) -> None:
        """Say where the list contradicts itself or another account's.

        Raises:
            AccountError: it does, and `on_mismatch` is fail: the bookmark stays.
        """
        named = f"{feed.source.name} account {feed.account.account_id}"
        self.session.checks.extend(unique_checks(feed))
        wrong = [brief.invoice_id for brief in feed.clashes]
        wrong += self._listings.differing(feed.source.name, feed.account.account_id)
        if wrong:
            text = f"{named}: invoice {', '.join(wrong[:10])} is listed twice with different dates or amounts"
            if self.session.settings.on_mismatch == "fail":
                raise AccountError(text)
            self.session.note(text)

    def _since(self, feed: InvoiceFeed, bookmark: Mapping[str, Any], today: date) -> date:
        """The first day to ask for; what the vendor no longer keeps is named."""
        api, settings = feed.api, self.session.settings
        old, listed_from = bookmark.get("replication_key_value"), bookmark.get(LISTED_FROM)
        since, last = settings.start_date, feed.until()
        # Only what was never read is out of reach: a look-back beyond the horizon loses no invoice.
        first = since if old is None else date.fromisoformat(old)
        if old is not None and api.lookback is not None:
            if listed_from is not None and reaches_back(listed_from, since):
                first, last = since, min(last, date.fromisoformat(listed_from) - timedelta(days=1))
                named = f"{feed.source.name} account {feed.account.account_id}"
                self.logger.info("%s: start_date lies before %s: listing all from there", named, listed_from)
            else:
                since = max(since, first - timedelta(days=api.lookback(settings.values)))
        if api.horizon_days is None:
            return since
        reachable = today - timedelta(days=api.horizon_days)
        last = min(reachable - timedelta(days=1), last)
        if first <= last:
            self._name_unreachable(feed, first, last)
        return max(since, reachable)

    def _name_unreachable(self, feed: InvoiceFeed, first: date, last: date) -> None:
        name, account_id = feed.source.name, feed.account.account_id
        text = f"{first} to {last} cannot be read any more: the vendor keeps {feed.api.horizon_days} days"
        self.session.note(f"{name} account {account_id}: invoices from {text}")
        # The subject is where the gap begins: the same gap found again is the same check.
        self.session.checks.append(
            Check(name, account_id, subject=f"invoices from {first}", check="unreachable_range", reason=text)
        )

    def _record(self, feed: InvoiceFeed, columns: dict[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
        return self.complete({**columns, "source_record": self.source_record(record, feed.api.hidden)})

    @staticmethod
    def _remember(api: InvoiceApi, columns: Mapping[str, Any], unsettled: dict[str, Any]) -> None:
        if columns.get("status") in api.unsettled:
            unsettled[columns["invoice_id"]] = columns.get("invoice_date")
        else:
            unsettled.pop(columns["invoice_id"], None)

    def _look_up(
        self, feed: InvoiceFeed, invoice_id: str, day: str | None, unsettled: dict[str, Any]
    ) -> dict[str, Any]:
        """An invoice that the list no longer shows: too old for the look-back, or deleted."""
        try:
            columns, record = feed.read_one(invoice_id)
        except NotFound:
            unsettled.pop(invoice_id, None)
            account_id = feed.account.account_id
            gone = {
                "source": feed.source.name,
                "account_id": account_id,
                "requested_account_id": account_id,
                "invoice_id": invoice_id,
                "invoice_date": day,
                "status": DELETED,
                "_sdc_deleted_at": utc_text(self.session.clock.now().replace(microsecond=0)),
            }
            return self.complete(gone)
        self._remember(feed.api, columns, unsettled)
        return self._record(feed, columns, record)


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse bookmarks of accounts that this version cannot go on from.

    Raises:
        StateError: one is foreign or cut.
    """
    if stream != Invoices.name:
        return
    try:
        parts = bookmark.get("partitions", [])
        if not isinstance(parts, list):
            raise TypeError
        for part in parts:
            if set(part["context"]) != {"source", "account_id"}:
                raise ValueError("another context")
            names, days = list(part["context"].values()), []
            for invoice_id, day in part.get(UNSETTLED, ()):
                names.append(invoice_id)
                days.append(day)
            if not all(isinstance(name, str) for name in names):
                raise TypeError
            for day in (part.get("replication_key_value"), part.get(LISTED_FROM), *days):
                if day is not None:
                    date.fromisoformat(day)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StateError.of(stream, "holds a damaged bookmark") from None
