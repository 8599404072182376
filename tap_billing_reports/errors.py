"""Exceptions, named for the recovery they ask for.

Every message is one line that names the source, the account, the thing and the remedy, and never a secret.
"""

from __future__ import annotations


class BillingError(Exception):
    """Base of all errors that the tap raises on purpose."""


class RetryableError(BillingError):
    """The same call may succeed if it is made again later; raised to callers once the retries are used up.

    Attributes:
        retry_after: seconds that the vendor asked to wait, or None when it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AccountError(BillingError):
    """Fatal for one account or one report; the others go on and the sync exits non-zero."""


class ReportError(AccountError):
    """A run, its file or its rows are at fault: that period ends, no bookmark moves."""


class FileError(ReportError):
    """A report file is not what the vendor declared, or not what its reader can trust.

    Attributes:
        line: the line of the file (from 1) where reading stopped, or None when the whole file is refused.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message if line is None else f"line {line}: {message}")
        self.line = line


class SyncError(BillingError):
    """Fatal for the whole run: wrong settings, foreign state, a bug; nothing more is asked of any vendor."""


class ConfigError(SyncError):
    """A setting is missing or wrong; the message names the setting and never its value."""


class StateError(SyncError):
    """The given STATE is foreign, truncated or from a newer version; refused before any STATE goes out."""
