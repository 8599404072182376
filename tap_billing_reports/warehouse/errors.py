"""What ends a load. Each message is one line: the stream, the thing, and the remedy; never a secret."""

from __future__ import annotations

from tap_billing_reports.core.errors import SyncError


class LoadError(SyncError):
    """Nothing more is loaded; what has been committed stays, and what has not leaves no trace."""


class Misfit(LoadError):  # noqa: N818 - named for what the value is
    """A value that its column cannot hold exactly.

    Attributes:
        stream: the stream's name.
        column: the column's name.
        key: the key of its row, as `name=value` pairs; empty for a stream without a key.
    """

    def __init__(self, stream: str, column: str, key: str, reason: str) -> None:
        where = f" of the row {key}" if key else ""
        super().__init__(f"stream {stream}: the value of column {column!r}{where} {reason}; nothing was rounded or cut")
        self.stream = stream
        self.column = column
        self.key = key
