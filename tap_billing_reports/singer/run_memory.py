"""What is remembered of each account's runs at the vendor, for the stream `report_runs`."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import msgspec

from tap_billing_reports.core.errors import StateError
from tap_billing_reports.reports.state.layout import Instant  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping
    from contextlib import AbstractContextManager

    from tap_billing_reports.declare import Account
    from tap_billing_reports.reports.jobs import ReportClient

KEY = "listed"


class ListedRuns(msgspec.Struct, omit_defaults=True, kw_only=True):
    """How far one account's list of runs has been told. What was never known is left out of STATE.

    Attributes:
        realm: where its data come from.
        known: runs that need not be told when they are listed: ours that were told as they finished, and those of the
            second of `created_at`.
        listed_from: from when on all were listed.
        created_at: the newest run that was listed.
        pending: those that were not made yet: each is asked about until it is.
        untold: when the first and the last run of ours was made whose record has not been sent.
        adopted: which of those had been found at the vendor.
    """

    source: str
    account_id: str
    realm: dict[str, str] = {}
    known: set[str] | None = None
    listed_from: Instant | None = None
    created_at: Instant | None = None
    pending: set[str] | None = None
    untold: tuple[Instant, Instant] | None = None
    adopted: list[str] = []


class RunMemory:
    """Lives in the stream's bookmark, as a list that `write` replaces whole, once for each STATE.

    Args:
        bookmark: where it lives; asked each time, because the SDK may replace it.
        uninterrupted: a signal that ends the sync waits until it is left; what it finds is to be whole.
    """

    def __init__(
        self,
        bookmark: Callable[[], MutableMapping[str, Any]],
        uninterrupted: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._bookmark = bookmark
        self._uninterrupted = uninterrupted
        found = msgspec.convert(bookmark().get(KEY, []), list[ListedRuns])
        self._accounts = {(runs.source, runs.account_id): runs for runs in found}
        self._is_changed = False

    def of(self, client: ReportClient, account: Account) -> ListedRuns:
        """The account's, to be looked at; nothing is known of a new one."""
        key = (client.name, account.account_id)
        return self._accounts.get(key) or ListedRuns(
            source=client.name, account_id=account.account_id, realm=dict(client.realm)
        )

    @contextmanager
    def changing(self, client: ReportClient, account: Account) -> Iterator[ListedRuns]:
        """The account's, to be changed; it then stands last. No signal ends the sync in between."""
        with self._uninterrupted():
            runs = self.of(client, account)
            self._accounts.pop((runs.source, runs.account_id), None)
            self._accounts[runs.source, runs.account_id] = runs
            self._is_changed = True
            yield runs

    def take_back(self, before: ListedRuns) -> None:
        """What was remembered of an account before holds again."""
        self._accounts[before.source, before.account_id] = before
        self._is_changed = True

    def write(self) -> None:
        """Bring what has changed into the bookmark, in one assignment."""
        if self._is_changed:
            self._bookmark()[KEY] = msgspec.to_builtins(list(self._accounts.values()), order="deterministic")
            self._is_changed = False


def check_state(stream: str, bookmark: Mapping[str, Any]) -> None:
    """Refuse progress through the vendors' lists that this version cannot go on from.

    Raises:
        StateError: it is foreign or cut.
    """
    try:
        msgspec.convert(bookmark.get(KEY, []), list[ListedRuns])
    except msgspec.ValidationError as error:
        raise StateError.of(stream, f"holds damaged progress ({error})") from None
