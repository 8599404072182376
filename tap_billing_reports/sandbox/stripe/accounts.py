"""The emulated accounts and keys."""

from __future__ import annotations

from dataclasses import dataclass

REPORTS = "report_runs_and_report_types_read"
FILES = "file_read"
INVOICES = "invoice_read"
_ALL = frozenset({REPORTS, FILES, INVOICES})


@dataclass(frozen=True)
class Account:
    """A Stripe account; `platform` is the one that the keys belong to.

    `large_amounts`: it has amounts of twenty digits, which make every sum unreadable for a person.
    """

    id: str
    name: str
    country: str
    platform: bool = False
    large_amounts: bool = False


PLATFORM = Account("acct_sandbox", "Sandbox Platform", "NO", platform=True)
CONNECTED = (
    Account("acct_sandbox_north", "Nordlys Sport AS", "NO"),
    Account("acct_sandbox_east", "Østkanten Trening, Ltd.", "KW"),
)
LARGE_AMOUNTS = Account("acct_sandbox_large", "Store Tall AS", "NO", large_amounts=True)
"""Connected, too, but only there for those who name it: no settings and no report over all accounts do."""
ACCOUNTS = {account.id: account for account in (PLATFORM, *CONNECTED, LARGE_AMOUNTS)}


@dataclass(frozen=True)
class Key:
    """An API key and its rights."""

    secret: str
    rights: frozenset[str] = _ALL

    @property
    def livemode(self) -> bool:
        return "_live_" in self.secret

    @property
    def masked(self) -> str:
        """How an error message shows the key."""
        kind, mode, _ = self.secret.split("_", 2)
        return f"{kind}_{mode}_***"


FULL_KEY = "sk_test_sandbox_platform"
LIVE_KEY = "sk_live_sandbox_platform"
KEY_WITHOUT_REPORTS = "rk_test_sandbox_without_reports"
KEY_WITHOUT_FILES = "rk_test_sandbox_without_files"
KEY_WITHOUT_INVOICES = "rk_test_sandbox_without_invoices"

KEYS = {
    key.secret: key
    for key in (
        Key(FULL_KEY),
        Key(LIVE_KEY),
        Key(KEY_WITHOUT_REPORTS, _ALL - {REPORTS}),
        Key(KEY_WITHOUT_FILES, _ALL - {FILES}),
        Key(KEY_WITHOUT_INVOICES, _ALL - {INVOICES}),
    )
}
