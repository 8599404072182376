"""Reports that are there without an order: rows of a list that is read page by page, or files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_billing_reports.declare.endpoints import NumberPaging, OffsetPaging

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_billing_reports.declare.endpoints import Account, Endpoint, Query
    from tap_billing_reports.declare.runs import Period, RemoteFile, Report


@dataclass(frozen=True)
class PagedRows:
    """Rows that are a list: its pages become one NDJSON file, whole, before any row goes out.

    Attributes:
        endpoint: the list, with its paging.
        query: what is asked of each page.
        path: what the names of the endpoint's path stand for; `account_id` is always there.
        key: names (those within others joined by a dot) whose values no two rows share. A row that comes twice, since
            the list has grown while it was read, is then one.
        total: where an answer says how many rows there are. Where the paging knows it, it need not stand here. As many
            are read, or the list is read once more.
    """

    endpoint: Endpoint
    query: Callable[[Account, Report, Period], Query] = lambda _account, _report, _period: []
    path: Callable[[Account, Report, Period], Mapping[str, str]] = lambda _account, _report, _period: {}
    key: tuple[str, ...] = ()
    total: str = ""

    @property
    def stated_at(self) -> str:
        """Where the number of rows stands in an answer; empty where it stands nowhere."""
        paging = self.endpoint.paging
        return self.total or (paging.total if isinstance(paging, OffsetPaging) else "")

    def problems(self) -> list[str]:
        """What is wrong with it, one line each."""
        if isinstance(self.endpoint.paging, OffsetPaging | NumberPaging) and not (self.key or self.stated_at):
            return ["a list by offset or number needs a key or a total: rows could be lost or doubled while it grows"]
        return []


@dataclass(frozen=True)
class ReadyFiles:
    """Files that the vendor has made by itself.

    Attributes:
        files: of one period. The rows of all of them are read, in this order; what is only kept is for `extra_files`.
    """

    files: Callable[[Account, Report, Period], Sequence[RemoteFile]]


Unordered = PagedRows | ReadyFiles
