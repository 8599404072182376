"""Says what an account's invoice list had before and has not now; for every reader of the list, once a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.about import About
from tap_billing_reports.core.errors import AccountError
from tap_billing_reports.singer.invoices.list_memory import ListMemory

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tap_billing_reports.singer.invoices.reader import InvoiceFeed
    from tap_billing_reports.singer.session import Session


def judge_list(session: Session, feed: InvoiceFeed, bookmark: MutableMapping[str, Any]) -> set[str]:
    """Say what earlier lists had and the last one has not, once a sync; which fields these are.

    Args:
        session: takes the checks and the note.
        feed: has been read.
        bookmark: where the reader remembers lists of the account.

    Raises:
        AccountError: something is missing, and `on_mismatch` is fail: the reader's bookmark stays.
    """
    if feed.unreadable or not feed.api.lists_all(session.settings.values):
        return set()
    source, account = feed.source.name, feed.account.account_id
    since, until = max(feed.since, session.settings.start_date), feed.until()
    memory = ListMemory(bookmark, feed.remembered_days)
    checks, lost = list(memory.checks(source, account, feed.contents, since, until)), memory.lost(feed.contents)
    memory.move(feed.contents, since, until)
    session.checked("invoices", (check for check in checks if check not in feed.told))
    feed.told.update(checks)
    wrong = [f"{check.check}: {check.reason}" for check in checks if check.ok is False]
    if wrong:
        about, text = About(source, account), f"invoices: {'; '.join(wrong)}"
        if session.settings.on_mismatch == "fail":
            raise AccountError(text, about=about)
        session.note(f"{about}: {text}")
    return lost


def tell_of_lost_account(session: Session, source: str, account: str) -> None:
    """Say that an account is not there any more; the same words for all readers, so that it is said once."""
    session.note(f"{source} account {account}: earlier syncs read it, and the vendor does not list it any more")
