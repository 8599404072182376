"""`invoice_documents`: each invoice's PDF once, kept under `storage_url`."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import (
    ISOLATED,
    AbsenceUnproven,
    AccountError,
    AuthenticationFailed,
    NotFound,
    RetryableError,
)
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.core.redaction import redact
from tap_billing_reports.singer.invoices.document_state import DocumentMemory, kept_sizes
from tap_billing_reports.singer.invoices.document_store import DocumentStore, Kept
from tap_billing_reports.singer.list_checks import judge_list, tell_of_lost_account
from tap_billing_reports.singer.streams.base import BillingStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_billing_reports.declare import Account, Source
    from tap_billing_reports.singer.invoices.reader import Brief, Documents, InvoiceFeed

DOCUMENT = "pdf"
# A vendor that answers nothing three times in a row will not answer the other thousands either.
SILENCES = 3
# So many documents that are forbidden one after the other, at either end of the list, are a right that is missing.
REFUSALS = 3
# Invoices that one line names.
NAMED = 10


class InvoiceDocuments(BillingStream):
    """Where each invoice's PDF is kept, or why there is none.

    A document is fetched once. One that cannot be had is a record with `error`. Where the vendor says in its own words
    that there is none, that is all, and it is tried again while the look-back lists its invoice. Anything else is a
    failure, too, and is tried again while the vendor lists the invoice at all. Only refused credentials, a row of 403s
    and a vendor that does not answer end an account's pass.
    """

    name = "invoice_documents"
    primary_keys = ("source", "account_id", "invoice_id", "document")
    replication_key = "invoice_date"

    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        """Progress is kept by document."""

    def _write_starting_replication_value(self, context: Any) -> None:
        """Progress is kept by document."""

    @cached_property
    def _store(self) -> DocumentStore:
        assert self.session.storage is not None, "the settings' check asks for storage_url"
        return DocumentStore(self.session.storage, self.session.folder)

    @cached_property
    def _memory(self) -> DocumentMemory:
        memory = DocumentMemory(lambda: self.stream_state)
        self.billing_tap.before_each_state(memory.write)
        return memory

    @cached_property
    def _known(self) -> dict[tuple[str, str, str], int]:
        """The documents that are kept: (source, billed account, invoice) -> bytes."""
        return dict(kept_sizes(self.stream_state))

    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        if self.ABORT_AT_RECORD_COUNT is not None:
            # A test of the connection keeps no files.
            return
        fetched: set[tuple[str, str, str]] = set()
        self._tell_of_lost_accounts()
        for source, account in self.session.all_accounts():
            if source.invoices is None:
                continue
            feed = self.session.feed(source, account)
            if (documents := feed.documents) is not None:
                with self.session.isolated(self.name, About(source.name, account.account_id)):
                    yield from self._pass(feed, documents, fetched)

    def _tell_of_lost_accounts(self) -> None:
        """Say which accounts earlier syncs had and this one has not, once each."""
        there = {(source.name, account.account_id) for source, account in self.session.all_accounts()}
        for source, account_id in self._memory.lost(there):
            tell_of_lost_account(self.session, source, account_id)

    def _pass(
        self, feed: InvoiceFeed, documents: Documents, fetched: set[tuple[str, str, str]]
    ) -> Iterator[dict[str, Any]]:
        source, account = feed.source, feed.account
        progress = self._memory.load(source.name, account.account_id)
        progress.realm = dict(self.session.open(source).realm)
        bounds = feed.bounds
        briefs = feed.briefs(progress.list_from(bounds))
        try:
            judge_list(self.session, feed, progress.list_memory)
        finally:
            self._memory.save(progress)
        newest, troubles = progress.seen, _Troubles()
        waiting = deque(sorted(briefs, key=lambda brief: brief.invoice_date or ""))
        while waiting:
            brief = waiting.popleft()
            newest = max(filter(None, (newest, brief.invoice_date)), default=None)
            key = (source.name, brief.account_id, brief.invoice_id)
            # What one account is refused another one, which lists the same invoice, may have.
            if key in fetched or self._is_kept(source, brief):
                continue
            result = self._obtain(documents, brief)
            if isinstance(result, AuthenticationFailed) and _is_forbidden(result):
                self.session.fail(Failure.of(result, About(source.name, account.account_id), stream=self.name))
            try:
                if troubles.note(brief, result):
                    # Old documents may be closed to a user, and new ones not: look at the other end, too.
                    waiting.reverse()
            except ISOLATED:
                self._tell(feed, troubles)
                raise
            yield self._record(account, brief, result)
            if isinstance(result, Kept):
                fetched.add(key)
                self._known[key] = result.size
                progress.note(brief, result.size)
            self.session.checkpoint()
        self._tell(feed, troubles)
        for error in feed.unreadable:
            self.session.fail(Failure.of(error, stream=self.name))
        if not feed.unreadable:
            progress.pass_ended(bounds, feed.until(), newest=newest, retry_from=troubles.retry_from)
        self._memory.save(progress)

    def _tell(self, feed: InvoiceFeed, troubles: _Troubles) -> None:
        """One failure for all documents of an account that could not be had."""
        failed = troubles.failed
        if not failed:
            return
        numbers = ", ".join(brief.invoice_id for brief, _error in failed[:NAMED])
        more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
        first = failed[0][1]
        text = f"the PDF cannot be had of invoice {numbers}{more}; the first: {first}"
        about = About(feed.source.name, feed.account.account_id)
        self.session.fail(Failure.of(text, about, stream=self.name, remedy=first.remedy))

    def _obtain(self, documents: Documents, brief: Brief) -> Kept | AccountError | RetryableError:
        """The document, or why there is none.

        Raises:
            AuthenticationFailed: the credentials are refused. A page instead of a PDF, or a 403 for one of them, is not
                that: the same credentials have just listed the invoice.
        """
        if brief.shared_number is not None:
            named = f"invoice {brief.number} of {brief.issued_by}"
            return AccountError(
                f"{named}: another issuer has used its number, and the one PDF is taken for that one's",
                about=About(documents.source, documents.account.account_id),
            )
        try:
            return self._store.find(documents.source, brief) or self._store.fetch(documents, brief)
        except AuthenticationFailed as error:
            if error.status == 401:
                raise
            return error
        except (AccountError, RetryableError) as error:
            return error

    def _is_kept(self, source: Source, brief: Brief) -> bool:
        """Whether the document is done and its file still there in its length."""
        size = self._known.get((source.name, brief.account_id, brief.invoice_id))
        return size is not None and self._sizes(source, brief).get(self._store.path(source.name, brief)) == size

    @cached_property
    def _sizes_of(self) -> dict[tuple[str, str], dict[str, int]]:
        return {}

    def _sizes(self, source: Source, brief: Brief) -> dict[str, int]:
        """The kept files of the billed account, listed once a sync."""
        key = (source.name, brief.account_id)
        if key not in self._sizes_of:
            self._sizes_of[key] = self._store.sizes(*key)
        return self._sizes_of[key]

    def _record(self, account: Account, brief: Brief, result: Kept | AccountError | RetryableError) -> dict[str, Any]:
        came = vars(result) if isinstance(result, Kept) else {"error": redact(str(result))}
        return self.complete(
            {
                "source": account.source,
                "account_id": brief.account_id,
                "requested_account_id": account.account_id,
                "invoice_id": brief.invoice_id,
                "document": DOCUMENT,
                "invoice_date": brief.invoice_date,
                **came,
            }
        )


class _Troubles:
    """What went wrong in a pass, one document after the other.

    Attributes:
        retry_from: the oldest date of an invoice whose document is to be tried again.
        failed: what could not be had and why, but for what is forbidden: that is said at once.
    """

    def __init__(self) -> None:
        self.retry_from: str | None = None
        self.failed: list[tuple[Brief, AccountError | RetryableError]] = []
        self._silences = self._refusals = 0

    def note(self, brief: Brief, result: Kept | AccountError | RetryableError) -> bool:
        """Whether the other end of the list is to be looked at now.

        Raises:
            RetryableError, AuthenticationFailed: this is one too many; the others are left for the next sync.
        """
        is_forbidden = _is_forbidden(result)
        # A 404 is an answer, so other documents may be available.
        is_silent = isinstance(result, RetryableError) and not isinstance(result, AbsenceUnproven)
        self._silences = self._silences + 1 if is_silent else 0
        self._refusals = self._refusals + 1 if is_forbidden else 0
        if not isinstance(result, Kept) and (self._silences == SILENCES or self._refusals == 2 * REFUSALS):
            raise result
        is_failed = not (isinstance(result, Kept | NotFound) or brief.shared_number is not None)
        if is_failed and not is_forbidden:
            assert isinstance(result, AccountError | RetryableError)
            self.failed.append((brief, result))
        if is_failed:
            self.retry_from = min(filter(None, (self.retry_from, brief.invoice_date)), default=None)
        return self._refusals == REFUSALS


def _is_forbidden(result: object) -> bool:
    return isinstance(result, AuthenticationFailed) and result.status == 403
