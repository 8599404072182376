"""Reads what a declaration declares: opens its door, asks its endpoints page by page, maps its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import quote

from lxml import etree

from tap_billing_reports.answers import Answer
from tap_billing_reports.clock import Clock
from tap_billing_reports.declarations import Account, Endpoint, Field, Query, Record, Source, Values
from tap_billing_reports.errors import AccountError
from tap_billing_reports.http import Door, Limits, RetryBudget


class OpenSource:
    """A source with its door open: asks endpoints and yields records."""

    def __init__(
        self, source: Source, values: Values, *, clock: Clock, limits: Limits | None = None
    ) -> None:
        self.source = source
        self.values = values
        self.clock = clock
        self.door = Door(
            source=source.name,
            account=source.account_label(values),
            hosts={host.name: values.get(host.setting) or host.url for host in source.hosts},
            authenticator=source.authenticator(values),
            headers=source.headers(values),
            remedy="the settings " + ", ".join(source.required),
            read_problem=source.read_problem,
            clock=clock,
            limits=limits,
            budget=RetryBudget(),
        )

    def today(self) -> date:
        """The current day in the source's zone."""
        return self.clock.today(self.source.zone)

    def ask(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        params: Query | None = None,
        account: Account | None = None,
    ) -> Answer:
        """The whole answer of one call; raises as `Door.call`."""
        return self.door.call(
            endpoint.method,
            endpoint.host,
            fill(endpoint.path, path or {}),
            params=params or (),
            headers={"Accept": endpoint.accept, **(account.headers if account else {})},
        )

    def records(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        params: Query | None = None,
        account: Account | None = None,
    ) -> Iterator[Record]:
        """The records of all pages, as the vendor orders them.

        Raises:
            AccountError: the answer has no place for records, or its pages do not advance.
        """
        paging, cursor = endpoint.paging, None
        while True:
            query = list(params or [])
            if paging is not None:
                query.append(paging.size)
                if cursor is not None:
                    query.append((paging.parameter, cursor))
            answer = self.ask(endpoint, path=path, params=query, account=account)
            # By its first byte, not its headers: vendors answer in the other format now and then.
            is_xml = answer.body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
            whole = tree(answer.xml()) if is_xml else answer.json()
            if whole is None and is_xml:
                return
            page = _records_of(whole, endpoint, answer)
            yield from page
            if paging is None or not whole.get(paging.more):
                return
            last = str(page[-1][paging.key]) if page else None
            if last is None or last == cursor:
                raise AccountError(
                    f"{self.source.name} account {self.door.account}: {answer.about}: says that there is more after "
                    f"{cursor}, but sends nothing new; nothing of this list can be trusted"
                )
            cursor = last


def fill(path: str, names: Mapping[str, str]) -> str:
    """The path with its names filled in, percent-encoded; a value cannot leave its segment."""
    for name, value in names.items():
        if value in {"", ".", ".."}:
            raise AccountError(f"{value!r} cannot stand for {name} in {path}")
        path = path.replace("{" + name + "}", quote(value, safe=""))
    return path


def tree(element: etree._Element) -> Any:
    """An XML element as nested dicts of text: no child -> its text or None, repeated children -> a list."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        text = (element.text or "").strip()
        return text or None
    result: dict[str, Any] = {}
    for child in children:
        name = etree.QName(child).localname
        value = tree(child)
        if name not in result:
            result[name] = value
        elif isinstance(result[name], list):
            result[name].append(value)
        else:
            result[name] = [result[name], value]
    return result


def _records_of(whole: Any, endpoint: Endpoint, answer: Answer) -> list[Record]:
    """The answer's records: a bare list, a list under a known key, or a single one; nulls are skipped."""
    if isinstance(whole, Mapping):
        for key in endpoint.records:
            if key in whole:
                found = whole[key]
                if isinstance(found, Mapping) and endpoint.record in found:
                    found = found[endpoint.record]
                return _listed(found)
        if endpoint.record and endpoint.record in whole:
            return _listed(whole[endpoint.record])
    elif isinstance(whole, list):
        return _listed(whole)
    raise AccountError(
        f"{answer.about}: the answer has none of {', '.join((*endpoint.records, endpoint.record))}: "
        f"the vendor's format has changed"
    )


def _listed(found: Any) -> list[Record]:
    if found is None:
        return []
    items = found if isinstance(found, list) else [found]
    return [item for item in items if item is not None]


def value_at(record: Record, path: str) -> Any:
    """The value at a dotted path, or None where any part of it is missing."""
    value: Any = record
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def map_fields(fields: tuple[Field, ...], record: Record) -> dict[str, Any]:
    """The record's columns. Raises ValueError naming the column that refused its value, not the value."""
    columns: dict[str, Any] = {}
    for column in fields:
        raw = value_at(record, column.path) if column.path else record
        try:
            columns[column.name] = None if raw is None or raw == "" else column.convert(raw, record)
        except (ValueError, TypeError, ArithmeticError):
            raise ValueError(f"{column.path or column.name} is not a {column.name} that can be trusted") from None
    return columns
