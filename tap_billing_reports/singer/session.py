"""One sync: its settings, clock, open clients, accounts; what failed, and when STATE goes out."""

from __future__ import annotations

import hashlib
import logging
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import ISOLATED, AccountError, FirstFailure
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.core.redaction import redact
from tap_billing_reports.declare.client import HttpSourceClient
from tap_billing_reports.reports.events import Listener
from tap_billing_reports.reports.files.prefetch import Ahead
from tap_billing_reports.reports.realm import KEY, REMEDY, hold, is_realm
from tap_billing_reports.reports.state.journal import Journal, StorageJournal
from tap_billing_reports.singer.invoices.reader import InvoiceFeed
from tap_billing_reports.singer.invoices.shared_numbers import SharedNumbers
from tap_billing_reports.singer.outcome import Summary
from tap_billing_reports.singer.state_writer import Pace
from tap_billing_reports.storage.files import Storage
from tap_billing_reports.storage.lock import Lock
from tap_billing_reports.storage.workspace import Workspace, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tap_billing_reports.config.settings import Settings
    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.declare import Account, Source
    from tap_billing_reports.http.client import Limits
    from tap_billing_reports.singer.check import Check

# A target keeps STATE every few minutes at best: more often than this costs bytes and buys nothing.
STATE_SECONDS = 5.0

logger = logging.getLogger("tap-billing-reports")


class Session:
    """Shared by all streams of one sync; used in the main thread.

    Args:
        settings: validated.
        sources: those that are on.
        write_state: sends the current STATE if it has changed, and says how many bytes went out.
        summary: kept for the end of the sync.
        listener: told what happens to periods.
        invoices_bookmark: gives the bookmark of `invoices`, for what all that reads invoices must remember.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        sources: tuple[Source, ...],
        clock: Clock,
        limits: Limits | None,
        write_state: Callable[[], int],
        summary: Summary | None = None,
        listener: Listener | None = None,
        invoices_bookmark: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self.settings = settings
        self.sources = sources
        self.clock = clock
        self.summary = summary or Summary()
        self.listener = listener or Listener()
        self.checks: list[Check] = []
        """Reconciliations that wait to be sent."""
        self._limits = limits
        self._write_state = write_state
        self._pace = Pace(clock.monotonic, STATE_SECONDS)
        self._state_is_due = False
        self._open: dict[str, HttpSourceClient] = {}
        self._accounts: dict[str, list[Account]] = {}
        self._feeds: dict[tuple[str, str], InvoiceFeed] = {}
        self.shared_numbers = SharedNumbers(invoices_bookmark or dict)
        """The numbers of invoices that several issuers have used."""
        self._workspace = Workspace()
        self._lock: Lock | None = None
        self.ahead = Ahead()
        """Fetches the next file; it writes to `folder`."""

    # -- sources and accounts --------------------------------------------------------------------------

    @property
    def emulated(self) -> frozenset[str]:
        """The sources for which an emulator has answered so far."""
        return frozenset(name for name, client in self._open.items() if client.http.is_emulated)

    def open(self, source: Source) -> HttpSourceClient:
        """The client of a source; opened once a sync."""
        if source.name not in self._open:
            self._open[source.name] = HttpSourceClient(
                source, self.settings.values, clock=self.clock, limits=self._limits
            )
        return self._open[source.name]

    def accounts(self, source: Source) -> list[Account]:
        """The source's accounts, asked for once a sync; a source that refuses, or names none, is a failure."""
        if source.name not in self._accounts:
            self._accounts[source.name] = []
            about = About(source.name, source.label(self.settings.values))
            with self.isolated(f"all streams of {source.title}", about):
                found, is_whole = self._listed_accounts(source, about)
                if not found and is_whole:
                    # Nothing would be read, and nobody told: rights that were taken away look like this.
                    raise AccountError(
                        "the vendor names no account that these credentials may read; "
                        "check their rights, or name the accounts in the settings"
                    )
                self._accounts[source.name] = list(found.values())
        return self._accounts[source.name]

    def _listed_accounts(self, source: Source, about: About) -> tuple[dict[str, Account], bool]:
        """The accounts by their ids, and whether each entry of the list names one; any other entry has failed."""
        found: dict[str, Account] = {}
        is_whole = True
        for entry in source.accounts(self.open(source)):
            if isinstance(entry, AccountError):
                is_whole = False
                self.fail(Failure.of(entry, about, stream=f"all streams of {source.title}"))
            else:
                found[entry.account_id] = entry
        return found, is_whole

    def all_accounts(self) -> Iterator[tuple[Source, Account]]:
        """Every account of every source that is on."""
        for source in self.sources:
            for account in self.accounts(source):
                yield source, account

    def feed(self, source: Source, account: Account) -> InvoiceFeed:
        """The account's invoices, listed once a sync for all that hangs on them."""
        key = (source.name, account.account_id)
        if key not in self._feeds:
            self._feeds[key] = InvoiceFeed(self.open(source), account, self.settings, self.shared_numbers)
        return self._feeds[key]

    def forget_invoices(self) -> None:
        """Nothing more hangs on the lists: give their memory back."""
        self._feeds.clear()

    def checked(self, stream: str, checks: Iterable[Check]) -> None:
        """Checks of what a stream reads, of no single run: they are counted, and sent with the next ones."""
        found = [*checks]
        self.summary.checks.take(stream, found)
        self.checks.extend(found)

    # -- failures --------------------------------------------------------------------------------------

    @contextmanager
    def isolated(self, stream: str, about: About) -> Iterator[None]:
        """What fails inside ends that part alone; the others go on and the sync exits non-zero.

        Args:
            stream: what is not read then.
            about: whose data are read inside, for errors that do not know it themselves.
        """
        try:
            yield
        except ISOLATED as error:
            self.fail(Failure.of(error, about, stream=stream))

    def fail(self, failure: Failure) -> None:
        """Remember a failure for the exit status and the closing lines.

        Raises:
            FirstFailure: `fail_fast` is set.
        """
        failure = failure.redacted()
        if self.summary.failed(failure):
            logger.error("%s", failure)
        if self.settings.fail_fast:
            self.summary.notes["all that comes after the first failure, because fail_fast is set"] = None
            self.last_state()
            raise FirstFailure(str(failure))

    def note(self, text: str) -> None:
        """Remember something that is no failure but should be seen: deferred, optional, unreachable."""
        text = redact(text)
        if text not in self.summary.notes:
            # What several streams meet in turn is one note.
            logger.warning("%s", text)
            self.summary.notes[text] = None

    # -- state and disk --------------------------------------------------------------------------------

    def checkpoint(self, *, at_once: bool = False) -> None:
        """Send STATE: at once where an order's id depends on it, else every few seconds; see `Pace`."""
        self._state_is_due = True
        if self._pace.allows(at_once=at_once):
            self._pace.sent(self._write_state())
            self._state_is_due = False

    def last_state(self) -> None:
        """Send STATE however big it is: the sync ends early, and the next one must know what was ordered."""
        self._pace.sent(self._write_state())
        self._state_is_due = False

    @cached_property
    def storage(self) -> Storage | None:
        """Where files are kept, None without `storage_url`."""
        if self.settings.storage_url is None:
            return None
        return Storage(self.settings.storage_url, self.settings.storage_options)

    @cached_property
    def journal(self) -> Journal:
        """Where orders are noted at once; notes nothing without `storage_url`."""
        return Journal() if self.storage is None else StorageJournal(self.storage)

    def begin(self) -> None:
        """Keep any other sync of the same accounts away from the storage, until `close`; clear up after dead ones.

        Raises:
            SyncError: such a sync is running.
        """
        sweep()
        if self.storage is not None:
            names = [f"{source.name} {source.label(self.settings.values)}" for source in self.sources]
            self._lock = Lock(self.storage, self.clock, names)
            self._lock.acquire()

    def hold_realms(self, bookmarks: Mapping[str, Any], *, record: bool) -> None:
        """Refuse a state and a storage of another realm, before anything is asked or sent; ledgers look themselves.

        Args:
            bookmarks: of the state.
            record: note in the storage which realm it is of, where that is not known.

        Raises:
            ConfigError: names what is of the other realm, and what to do.
        """
        realms = {source.name: self.open(source).realm for source in self.sources}
        for stream in ("invoices", "invoice_documents", "report_runs"):
            for part in parts_of(bookmarks.get(stream, {})):
                context = part.get("context", part)
                if context["source"] in realms:
                    about = f"the state of {stream} account {context['account_id']}"
                    remedy = f"{REMEDY}, or run a full refresh of {stream}"
                    hold(part.get(KEY, {}), realms[context["source"]], about, remedy)
        if self.storage is None:
            return
        for source in self.sources:
            label = source.label(self.settings.values)
            digest = hashlib.sha256(label.encode()).hexdigest()[:16]
            path = self.storage.path("realms", f"{source.name}-{digest}") + ".json"
            stored, realm = self.storage.read_json(path), realms[source.name]
            known = stored if stored is not None and is_realm(stored) else {}
            hold(known, realm, f"what setting storage_url names for {source.name} {label}")
            if record and stored != realm:
                self.storage.write_json(path, realm)

    def beat(self) -> None:
        """Renew the lock, report progress, and send a STATE that had to wait."""
        if self._state_is_due:
            self.checkpoint()
        self.listener.pulse()
        if self._lock is not None:
            self._lock.beat()

    @property
    def folder(self) -> Path:
        """A folder for this sync's files, for this user's eyes only; gone after `close`."""
        return self._workspace.path

    def close(self) -> None:
        """Give the disk and the lock back; what was odd about the vendors' answers goes into the summary."""
        for opened in self._open.values():
            self.summary.remarks.extend(map(redact, opened.http.remarks.lines(opened.http.about)))
        self.ahead.stop()
        if self._lock is not None:
            self._lock.release()
        self._workspace.remove()


def parts_of(bookmark: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a bookmark holds of each account, wherever its stream keeps it."""
    for name in ("partitions", "documents", "listed"):
        yield from bookmark.get(name, ())
