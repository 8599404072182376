"""Whose each run is, where no run can belong to two accounts: ids show that an answer was another account's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import Misplaced

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tap_billing_reports.declare import Account, Source


class RunOwners:
    """The runs of a source's accounts, as far as this sync has seen them.

    A request that loses the header with its account on the way is answered for another account. Its answer is well
    formed; only ids that come up under two accounts show it. From then on neither account is believed in this sync.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._owner: dict[str, str] = {}
        self._mixed: dict[str, Misplaced] = {}
        self._pending: dict[str, datetime] = {}
        self._confirmed: set[str] = set()

    def refuse_mixed(self, account: Account) -> None:
        """Raises Misplaced where a run of this account has come up under another one, too."""
        error = self._mixed.get(account.account_id)
        if error is not None:
            raise error

    def is_mixed(self, account: Account) -> bool:
        """Whether a run of this account has come up under another one, too."""
        return account.account_id in self._mixed

    def claim(self, account: Account, run_ids: Iterable[str]) -> None:
        """Note whose these runs are, by the vendor's own answers: what STATE says may come of answers mixed up before.

        Raises:
            Misplaced: one of them is another account's, or the account was mixed up before.
        """
        if not self._source.global_ids:
            return
        self.refuse_mixed(account)
        own = account.account_id
        for run_id in run_ids:
            other = self._owner.setdefault(run_id, own)
            if other != own:
                error = Misplaced.shared((own, other), f"run {run_id}", self._source.account_header)
                self._mixed[own] = self._mixed[other] = error
                raise error

    def awaits(self, account: Account, created_at: datetime) -> None:
        """A run of the account, made at this instant, is waited for in this sync."""
        if self._source.global_ids:
            own = account.account_id
            self._pending[own] = max(created_at, self._pending.get(own, created_at))

    def confirm_from(self, account: Account) -> datetime | None:
        """From when on the account's runs are to be listed once more before its first file is believed.

        Orders without a list show nothing: each has an id of its own, whichever account it was made for. A list that
        holds the newest run of another account does. None: no other account has a run, or this was asked before in
        this sync.
        """
        own = account.account_id
        others = [created_at for other, created_at in self._pending.items() if other != own]
        if not others or own in self._confirmed:
            return None
        self._confirmed.add(own)
        # With the newest run of any other account: whichever of them it was answered for.
        return min(others)
