"""`invoices`: one bookmark an account, moved only when that account's whole pass succeeded."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import AccountError, Misplaced, StateError
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.reports.per_invoice import LISTED_FROM, first_listed, reaches_back
from tap_billing_reports.reports.realm import KEY, is_realm
from tap_billing_reports.singer.check import Check
from tap_billing_reports.singer.invoices.duplicates import Duplicates, unique_checks
from tap_billing_reports.singer.invoices.list_memory import check_memory
from tap_billing_reports.singer.invoices.list_memory import check_state as check_list_memories
from tap_billing_reports.singer.invoices.reader import Brief, InvoiceFeed
from tap_billing_reports.singer.invoices.shared_numbers import check_shared
from tap_billing_reports.singer.invoices.unsettled import (
    BY_ID_A_SYNC,
    DELETED,
    UNSETTLED,
    WITNESS,
    FollowUp,
    Known,
    Memory,
    SentNotes,
)
from tap_billing_reports.singer.list_checks import judge_list, tell_of_lost_account
from tap_billing_reports.singer.streams.base import BillingStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tap_billing_reports.declare import Account, Source
    from tap_billing_reports.singer.invoices.unsettled import Found

GONE = "gone"
# Drafts that wait in memory for the STATE that names them: some 5 KB each.
HELD_AT_MOST = 5000


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
        if key == next(iter(self._accounts)):
            self._tell_of_lost_accounts()
        bookmark = self.get_context_state(context)
        with self.session.isolated(self.name, About(*key)):
            yield from self._pass(*self._accounts[key], bookmark)
        if key == next(reversed(self._accounts)):
            self.session.checked(self.name, self._duplicates.checks())

    @cached_property
    def _duplicates(self) -> Duplicates:
        return Duplicates()

    @cached_property
    def _overlapping(self) -> frozenset[str]:
        """The sources whose accounts may list the same invoice: those with more than one."""
        accounts = Counter(source for source, _account_id in self._accounts)
        return frozenset(source for source, count in accounts.items() if count > 1)

    def _pass(self, source: Source, account: Account, bookmark: dict[str, Any]) -> Iterator[dict[str, Any]]:
        feed = self.session.feed(source, account)
        self._before[source.name, account.account_id] = deepcopy(bookmark)
        bookmark[KEY] = dict(self.session.open(source).realm)
        old, today = bookmark.get("replication_key_value"), self.session.open(source).today()
        since = self._since(feed, bookmark)
        storage = self.session.storage if feed.api.deletable else None
        memory = Memory(feed.api, bookmark, SentNotes(storage, source.name, account.account_id))
        listing = _Listing(feed, memory, old)
        try:
            yield from self._stated_first(listing.found(since, today), memory, bookmark, feed)
            yield from self._take_back(listing.follow_up.deleted, memory, account, source)
            whole = self._judge_follow_up(listing.follow_up, memory, About(source.name, account.account_id))
            self._check_lists(feed)
            judge_list(self.session, feed, bookmark)
            memory.note_sent(listing.follow_up.deleted)
            for error in feed.unreadable:
                self.session.fail(Failure.of(error, stream=self.name))
        finally:
            # What was sent by half a pass is remembered, too.
            memory.write(bookmark)
        if old is not None and since.isoformat() <= old <= feed.until().isoformat() and not feed.listed:
            # A lost right, or a filter that the vendor does not understand any more, looks like that.
            named = f"{source.name} account {account.account_id}"
            self.session.note(f"{named}: no invoice is listed from {since} on, though one of {old} was before")
        newest = listing.newest
        if newest is not None and newest > today.isoformat() and feed.api.lookback is not None:
            # It is the vendor's, or this machine's clock is behind. Taken as it is, but not without a word.
            named = f"{source.name} account {account.account_id}"
            self.session.note(f"{named}: an invoice is dated {newest}, past today ({today}): it is sent as it is")
        # With one that cannot be read the bookmark stays: it is listed again, whatever its date is.
        if newest is not None and whole and not feed.unreadable:
            bookmark[KEY] = dict(self.session.open(source).realm)
            bookmark["replication_key"] = self.replication_key
            seen = bookmark["replication_key_value"] = max(old or "", min(newest, today.isoformat()))
            if feed.api.lookback is not None:
                earliest = feed.bounds.earliest
                bookmark[LISTED_FROM] = first_listed(bookmark.get(LISTED_FROM), old, earliest, feed.until(), seen)

    def _stated_first(
        self, found: Iterable[Found], memory: Memory, bookmark: dict[str, Any], feed: InvoiceFeed
    ) -> Iterator[dict[str, Any]]:
        """Send invoices; those that can be deleted only once a STATE names them.

        A target that holds one and a STATE that does not know it would never hear of its deletion.
        """
        held: list[dict[str, Any]] = []
        for columns, record in found:
            if feed.shared.is_unstated:
                self.session.last_state()
                feed.shared.is_unstated = False
            if self._is_first(feed, columns):
                if memory.is_stated(columns):
                    yield self._record(feed, columns, record)
                else:
                    held.append(self._record(feed, columns, record))
            memory.note(columns)
            if len(held) >= HELD_AT_MOST:
                yield from self._released(held, memory, bookmark)
        yield from self._released(held, memory, bookmark)

    def _released(
        self, held: list[dict[str, Any]], memory: Memory, bookmark: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        if held:
            memory.note_sent()
            memory.write(bookmark)
            self.session.last_state()
        yield from held
        held.clear()

    def _take_back(
        self, deleted: Mapping[str, Known], memory: Memory, account: Account, source: Source
    ) -> Iterator[dict[str, Any]]:
        """Mark invoices as deleted, with what was last known of them: a target overwrites the whole row."""
        for invoice_id, known in deleted.items():
            gone = {
                "source": source.name,
                "account_id": account.account_id,
                "requested_account_id": account.account_id,
                "invoice_id": invoice_id,
                "invoice_date": known.day,
                "status": DELETED,
                "_sdc_deleted_at": utc_text(self.session.clock.now().replace(microsecond=0)),
            }
            yield self.complete({**dict(known.contents), **gone})
            memory.forget(invoice_id)

    def _judge_follow_up(self, follow_up: FollowUp, memory: Memory, about: About) -> bool:
        """Whether the bookmark may move: the answers are of the same account as before."""
        if follow_up.failed:
            said, remedy = follow_up.failure()
            self.session.fail(Failure.of(said, about, stream=self.name, remedy=remedy))
            return follow_up.answered
        memory.vouch()
        if follow_up.left:
            text = f"{about}: {follow_up.left} unsettled invoices are left for the next syncs"
            self.session.note(f"{text}: each asks for at most {BY_ID_A_SYNC} of them one by one")
        return True

    def _is_first(self, feed: InvoiceFeed, columns: Mapping[str, Any]) -> bool:
        if feed.source.global_ids and feed.source.name in self._overlapping:
            self._claim(feed, columns["invoice_id"])
            return True
        if not feed.names_account or feed.source.name not in self._overlapping:
            return True
        return self._duplicates.is_new(feed.source.name, feed.account.account_id, Brief.of(columns))

    def _claim(self, feed: InvoiceFeed, invoice_id: str) -> None:
        """Note whose an invoice is.

        Raises:
            Misplaced: it was listed under another account: one of the two was answered for the other. Neither's
                pass counts as one.
        """
        source, account_id = feed.source.name, feed.account.account_id
        other = self._claimed.setdefault((source, invoice_id), account_id)
        if other == account_id:
            return
        header = feed.source.account_header
        error = Misplaced.shared((account_id, other), f"invoice {invoice_id}", header)
        bookmark = self.get_context_state({"source": source, "account_id": other})
        before = self._before[source, other]
        # What was sent stays remembered; only how far the pass came is taken back.
        for name in ("replication_key_value", LISTED_FROM):
            bookmark.pop(name, None)
            if name in before:
                bookmark[name] = before[name]
        raise error

    @cached_property
    def _claimed(self) -> dict[tuple[str, str], str]:
        """Source and invoice -> the account that lists it, where no two accounts can."""
        return {}

    @cached_property
    def _before(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The accounts' bookmarks as they were before their passes."""
        return {}

    def _check_lists(self, feed: InvoiceFeed) -> None:
        """Say where the list contradicts itself or another account's.

        Raises:
            AccountError: it does, and `on_mismatch` is fail: the bookmark stays.
        """
        about = About(feed.source.name, feed.account.account_id)
        self.session.checked(self.name, unique_checks(feed))
        wrong = [brief.invoice_id for brief in feed.clashes]
        wrong += self._duplicates.differing(feed.source.name, feed.account.account_id)
        if wrong:
            text = f"invoice {', '.join(wrong[:10])} is listed twice with different dates or amounts"
            if self.session.settings.on_mismatch == "fail":
                raise AccountError(text, about=about)
            self.session.note(f"{about}: {text}")

    def _tell_of_lost_accounts(self) -> None:
        """Say which accounts earlier syncs had and this one has not, once each."""
        read = {source for source, _account_id in self._accounts}
        for part in self.stream_state.get("partitions", ()):
            source, account_id = part["context"]["source"], part["context"]["account_id"]
            if (source, account_id) in self._accounts:
                part.pop(GONE, None)
            elif source in read and GONE not in part:
                part[GONE] = True
                tell_of_lost_account(self.session, source, account_id)

    def _since(self, feed: InvoiceFeed, bookmark: Mapping[str, Any]) -> date:
        """The first day to ask for; what the vendor no longer keeps is named."""
        bounds, start_date, old = feed.bounds, self.session.settings.start_date, bookmark.get("replication_key_value")
        if feed.api.lookback is None:
            return start_date
        listed_from = bookmark.get(LISTED_FROM)
        # Only what was never read is out of reach: a look-back beyond the horizon loses no invoice.
        first, last = start_date if old is None else date.fromisoformat(old), feed.until()
        if old is not None and listed_from is not None and reaches_back(listed_from, bounds.earliest):
            first, last = start_date, min(last, date.fromisoformat(listed_from) - timedelta(days=1))
            named = f"{feed.source.name} account {feed.account.account_id}"
            self.logger.info("%s: start_date lies before %s: listing all from there", named, listed_from)
        if bounds.horizon is not None and first <= min(bounds.horizon - timedelta(days=1), last):
            self._name_unreachable(feed, first, min(bounds.horizon - timedelta(days=1), last))
        return bounds.since(old, listed_from)

    def _name_unreachable(self, feed: InvoiceFeed, first: date, last: date) -> None:
        name, account_id = feed.source.name, feed.account.account_id
        text = f"{first} to {last} cannot be read any more: the vendor keeps {feed.api.horizon_days} days"
        self.session.note(f"{name} account {account_id}: invoices from {text}")
        # The subject is where the gap begins: the same gap found again is the same check.
        gap = Check(name, account_id, subject=f"invoices from {first}", check="unreachable_range", reason=text)
        self.session.checked(self.name, [gap])

    def _record(self, feed: InvoiceFeed, columns: dict[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
        return self.complete({**columns, "source_record": self.source_record(record, feed.api.hidden)})


class _Listing:
    """All that one pass finds of an account: what is listed, then what is remembered and was not listed.

    Attributes:
        newest: the newest date so far.
        follow_up: of what was not listed; once the list has ended.
    """

    def __init__(self, feed: InvoiceFeed, memory: Memory, newest: str | None) -> None:
        self.newest = newest
        self._feed = feed
        self._missing = memory.all()
        self._witness = memory.witness
        self.follow_up = FollowUp(feed, memory, self._missing, answered=False)

    def found(self, since: date, today: date) -> Iterator[Found]:
        for columns, record in self._feed.read(since):
            invoice_id, day = columns["invoice_id"], columns.get("invoice_date")
            if self._missing.pop(invoice_id, None) is not None or invoice_id == self._witness:
                self.follow_up.answered = True
            self.newest = max(filter(None, (self.newest, day)), default=None)
            yield columns, record
        if self._feed.api.by_id is not None:
            yield from self.follow_up.found(since, today)


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse bookmarks of accounts that this version cannot go on from.

    Raises:
        StateError: one is foreign or cut.
    """
    check_list_memories(stream, bookmark)
    if stream != Invoices.name:
        return
    try:
        parts = bookmark.get("partitions", [])
        if not isinstance(parts, list):
            raise TypeError
        check_shared(bookmark)
        for part in parts:
            if set(part["context"]) != {"source", "account_id"} or not is_realm(part.get(KEY, {})):
                raise ValueError("another context or realm")
            names = [*part["context"].values(), part.get(WITNESS, "")]
            if not all(isinstance(name, str) for name in names):
                raise TypeError
            check_memory(part)
            for item in part.get(UNSETTLED, ()):
                Known.read(item)
            for day in (part.get("replication_key_value"), part.get(LISTED_FROM)):
                if day is not None:
                    date.fromisoformat(day)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise StateError.of(stream, "holds a damaged bookmark") from None
