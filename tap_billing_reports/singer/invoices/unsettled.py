"""Invoices that are not settled: remembered in the bookmark of `invoices`, and asked for beyond the look-back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tap_billing_reports.core.errors import (
    AbsenceUnproven,
    AccountError,
    AuthenticationFailed,
    NotFound,
    RetryableError,
    remedy_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_billing_reports.declare import InvoiceApi, Query, Record
    from tap_billing_reports.singer.invoices.reader import InvoiceFeed
    from tap_billing_reports.storage.files import Storage

    Found = tuple[dict[str, Any], Record]

SENT_VERSION: Final = 1
UNSETTLED = "unsettled"
WITNESS = "witness"
UNKNOWN = "unknown"
DELETED = "deleted"
# Last known contents of an invoice that can be deleted: its tombstone overwrites the whole row, so it repeats them.
# Nothing that names a person: STATE is kept in places that hold no personal data.
KEPT: Final = ("type", "currency", "net_amount", "tax_amount", "total_amount", "amount_due", "fee_amount")
# Invoices asked for by their ids in one sync of an account; the others have their turn on other days.
BY_ID_A_SYNC: Final = 500
REMEDY: Final = (
    "check that the credentials are those of this account and of the same mode (live or test) as before; if an invoice "
    "is really gone, take it out of `unsettled` in the state of invoices"
)
# So many failures in a row are the account's, not those of single invoices.
FAILURES_IN_A_ROW: Final = 5
# After so many deletions in a row, the next is only asked for once the answers are known to be of this account.
DELETIONS_IN_A_ROW: Final = 20
NAMED_AT_MOST: Final = 10


class Known(NamedTuple):
    """What is remembered of an invoice.

    Attributes:
        day: its date.
        status: as last seen; None where an older STATE did not keep it, or the vendor's word was unknown.
        contents: the columns `KEPT` that have a value, of an invoice that can be deleted.
    """

    day: str | None
    status: str | None = None
    contents: tuple[tuple[str, str], ...] = ()

    @classmethod
    def read(cls, item: Iterable[Any]) -> tuple[str, Known]:
        """The id and what is known of it, from STATE.

        Raises:
            TypeError, ValueError, ArithmeticError: it is damaged.
        """
        invoice_id, day, *more = item
        status, contents = [*more, None, None][:2]
        if len(more) > 2 or not isinstance(invoice_id, str) or not isinstance(status, str | None):
            raise TypeError
        if day is not None:
            date.fromisoformat(day)
        kept = tuple((contents or {}).items())
        for name, value in kept:
            if name not in KEPT or not isinstance(value, str):
                raise ValueError(name)
            if name.endswith(("amount", "due")) and not Decimal(value).is_finite():
                raise ValueError(name)
        return invoice_id, cls(day, status, kept)

    def written(self, invoice_id: str) -> list[Any]:
        """As it stands in STATE."""
        if self.contents:
            return [invoice_id, self.day, self.status, dict(self.contents)]
        return [invoice_id, self.day] if self.status is None else [invoice_id, self.day, self.status]


class Memory:
    """The invoices of an account that are not settled, from one sync to the next.

    Args:
        bookmark: the account's, as the STATE gave it.
        sent: what earlier syncs have sent, for a STATE that is older than them.

    Attributes:
        witness: an invoice of an earlier sync that cannot be deleted: while it is answered, the account answers as
            before.
    """

    def __init__(self, api: InvoiceApi, bookmark: Mapping[str, Any], sent: SentNotes) -> None:
        self._api = api
        self._sent = sent
        self._stated = dict(map(Known.read, bookmark.get(UNSETTLED, ())))
        self._known = {**sent.found, **self._stated}
        self.witness: str | None = bookmark.get(WITNESS)
        self._settled: str | None = None

    def all(self) -> dict[str, Known]:
        """A copy: id -> what is known."""
        return dict(self._known)

    def note(self, columns: Mapping[str, Any]) -> None:
        """Remember an invoice, or forget it once it is settled. A status that nobody knows is not settled."""
        if self._api.by_id is None:
            return
        invoice_id, status = columns["invoice_id"], columns.get("status")
        if status in self._api.unsettled or status in {None, UNKNOWN}:
            self._known[invoice_id] = self._of(columns)
        else:
            self._known.pop(invoice_id, None)
            self._settled = invoice_id

    def vouch(self) -> None:
        """The account has answered as before, or nothing was known of it: one of its invoices may be the witness."""
        self.witness = self.witness or self._settled

    def forget(self, invoice_id: str) -> None:
        self._known.pop(invoice_id, None)

    def note_sent(self, deleted: Mapping[str, Known] | None = None) -> None:
        """Note in the storage what can be deleted, and what was sent as deleted; SyncError if the storage refuses."""
        sent = {name: known for name, known in self._known.items() if known.status in self._api.deletable}
        self._sent.write(sent, deleted or {})

    def is_stated(self, columns: Mapping[str, Any]) -> bool:
        """Whether an invoice may be sent before the next STATE: it stands in one already, or cannot be deleted."""
        if columns.get("status") not in self._api.deletable:
            return True
        return self._stated.get(columns["invoice_id"]) == self._of(columns)

    def write(self, bookmark: dict[str, Any]) -> None:
        """Put all of it into the account's bookmark, each part in one assignment."""
        if self._api.by_id is None:
            return
        self._stated = dict(self._known)
        bookmark[UNSETTLED] = [known.written(invoice_id) for invoice_id, known in sorted(self._known.items())]
        if self.witness is not None:
            bookmark[WITNESS] = self.witness

    def _of(self, columns: Mapping[str, Any]) -> Known:
        status = columns.get("status")
        if status not in self._api.unsettled:
            return Known(columns.get("invoice_date"))
        kept = KEPT if status in self._api.deletable else ()
        contents = tuple((name, str(columns[name])) for name in kept if columns.get(name) is not None)
        return Known(columns.get("invoice_date"), status, contents)


class SentNotes:
    """Invoices that were sent and can be deleted, noted in the storage: a target may have kept an older STATE.

    One small file an account, `sent/<source>/<account>.json`. One that was sent as deleted stays in it for one
    more sync, for its record may be lost with the STATE that followed it.

    Attributes:
        found: id -> what is known.
    """

    def __init__(self, storage: Storage | None, source: str, account_id: str) -> None:
        self._storage = storage
        self._path = "" if storage is None else storage.path("sent", source, account_id) + ".json"
        self.found: dict[str, Known] = {}
        self._told: frozenset[str] = frozenset()
        self._written: Any = None
        if storage is None:
            return
        self._written = storage.read_json(self._path)
        try:
            if self._written is not None and self._written["version"] == SENT_VERSION:
                self.found = dict(map(Known.read, self._written["invoices"]))
                self._told = frozenset(self._written["told"])
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
            self.found, self._told = {}, frozenset()

    def write(self, sent: Mapping[str, Known], deleted: Mapping[str, Known]) -> None:
        """Replace what is noted.

        Raises:
            SyncError: the storage refuses.
        """
        if self._storage is None:
            return
        told = {name: known for name, known in deleted.items() if name not in self._told}
        items = [known.written(name) for name, known in sorted({**sent, **told}.items())]
        content = {"version": SENT_VERSION, "invoices": items, "told": sorted(told)}
        if content != self._written and (items or self._written is not None):
            self._storage.write_json(self._path, content)
            self._written = content


class FollowUp:
    """Asks again for remembered invoices that an account's list has not shown.

    Those of one status come in pages, those that are in no such list any more by their ids. An invoice is called
    deleted only if it was last seen in a status in which the vendor deletes, if the vendor says so in its own
    words about this id, and while the account still answers for another invoice that it had before.

    Attributes:
        answered: a remembered invoice, or the witness, was answered.
        deleted: those that are gone, and what was known of them; to be read once `found` has ended.
        failed: those that could not be asked for, and why; they stay remembered.
        left: how many were left to the next syncs.
    """

    def __init__(self, feed: InvoiceFeed, memory: Memory, missing: dict[str, Known], *, answered: bool) -> None:
        self._feed = feed
        self._memory = memory
        self._missing = missing
        self._gone: dict[str, tuple[Known, NotFound]] = {}
        self._in_a_row = 0
        self.answered = answered
        self.deleted: dict[str, Known] = {}
        self.failed: dict[str, BaseException] = {}
        self.left = 0

    def found(self, since: date, today: date) -> Iterator[Found]:
        """Those that are there. `since`: the first day that was listed whole."""
        if (query := self._feed.api.by_status) is not None:
            yield from self._listed(since, query)
        yield from self._asked(today)
        if self._gone and not self.answered:
            self._ask_the_witness()
        for invoice_id, (known, error) in self._gone.items():
            if self.answered:
                self.deleted[invoice_id] = known
            else:
                self.failed[invoice_id] = error

    def _listed(self, since: date, query: Callable[[str, date, date], Query]) -> Iterator[Found]:
        for status in sorted(self._feed.api.unsettled):
            days = [
                known.day
                for known in self._missing.values()
                if known.day is not None and known.day < since.isoformat() and known.status in {status, None}
            ]
            if len(days) < 2:
                continue  # by its id it costs no more
            last = min(date.fromisoformat(max(days)), since - timedelta(days=1))
            for columns, record in self._feed.read_again(query(status, date.fromisoformat(min(days)), last)):
                if self._missing.pop(columns["invoice_id"], None) is not None:
                    self.answered = True
                yield columns, record

    def _asked(self, today: date) -> Iterator[Found]:
        # Another part each day, so that all have their turn.
        ids = sorted(self._missing)
        begin = today.toordinal() * BY_ID_A_SYNC % len(ids) if len(ids) > BY_ID_A_SYNC else 0
        turn = [*ids[begin:], *ids[:begin]]
        for place, invoice_id in enumerate(turn):
            if place >= BY_ID_A_SYNC or self._is_hopeless():
                self.left = len(turn) - place
                return
            found = self._one(invoice_id)
            if found is not None:
                self.answered = True
                yield found

    def _is_hopeless(self) -> bool:
        if self._in_a_row >= FAILURES_IN_A_ROW:
            return True
        if len(self._gone) < DELETIONS_IN_A_ROW or self.answered:
            return False
        self._ask_the_witness()
        return not self.answered

    def _one(self, invoice_id: str) -> Found | None:
        """The invoice if it is there; else it is noted as deleted, as gone without proof, or as failed."""
        known = self._missing[invoice_id]
        deletable = known.status in self._feed.api.deletable
        try:
            found = self._feed.read_one(invoice_id)
        except AuthenticationFailed:
            raise
        except NotFound as error:
            if deletable and invoice_id in error.said:
                self._gone[invoice_id] = known, error
                self._in_a_row = 0
            else:
                self._fail(invoice_id, error)
            return None
        except (AccountError, RetryableError) as error:
            self._fail(invoice_id, error)
            return None
        if found is not None:
            self._in_a_row = 0
        elif deletable:
            # What is left of it is an answer about this very invoice.
            self.deleted[invoice_id] = known
        else:
            self._fail(invoice_id, UndeletableError("the vendor reports it as deleted, which its status excludes"))
        return found

    def _fail(self, invoice_id: str, error: BaseException) -> None:
        self.failed[invoice_id] = error
        self._in_a_row += 1

    def _ask_the_witness(self) -> None:
        if self._memory.witness is None:
            return
        try:
            self.answered = self._feed.read_one(self._memory.witness) is not None
        except AuthenticationFailed:
            raise
        except (AccountError, RetryableError):
            self.answered = False

    def failure(self) -> tuple[str, str]:
        """One line on those that could not be asked for, and what can be done."""
        shown = [f"{i} ({self._missing[i].status or 'of unknown status'})" for i in self.failed]
        more = len(shown) - NAMED_AT_MOST + self.left
        others = f" and {more} more" if more > 0 else ""
        error = next(iter(self.failed.values()))
        text = f"invoice {', '.join(shown[:NAMED_AT_MOST])}{others} was not settled, and cannot be read now: {error}"
        if isinstance(error, NotFound | AbsenceUnproven | UndeletableError):
            return f"{text}; that proves no deletion, so it stays as it is", REMEDY
        return text, remedy_of(error)


class UndeletableError(AccountError):
    """What is left of a deleted invoice is answered for one that the vendor does not delete."""
