"""Reads what a declaration declares: opens an HTTP client, asks its endpoints page by page, maps its fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import AccountError, DeclarationError, Misplaced, Unavailable
from tap_billing_reports.declare import Asked, Need
from tap_billing_reports.declare.checks import endpoint_problems
from tap_billing_reports.declare.numbered_pages import Page, place_of
from tap_billing_reports.declare.paging import pages, records_of
from tap_billing_reports.declare.paths import fill, tree, value_at
from tap_billing_reports.declare.settings import Noted
from tap_billing_reports.http.bodies import Doubled
from tap_billing_reports.http.client import HttpClient, Limits

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.declare import Account, Endpoint, Field, Query, Record, Source, Values
    from tap_billing_reports.http.responses import Answer


class HttpSourceClient:
    """Asks the endpoints of one source and yields records."""

    def __init__(self, source: Source, values: Values, *, clock: Clock, limits: Limits | None = None) -> None:
        self.source = source
        self.values = values
        self.clock = clock
        self.realm = source.whole_realm(values)
        """Where the data come from; what the settings do not say is learned from state, else from answers."""
        self.hosts = frozenset(host.name for host in source.hosts)
        self._bases = {host.name: str(values.get(host.setting) or host.url).rstrip("/") for host in source.hosts}
        used = Noted(values)
        authenticator = source.authenticator(used)
        self.http = HttpClient(
            source=source.name,
            account=source.label(values),
            hosts=self._bases,
            authenticator=authenticator,
            headers=source.headers(values),
            remedy=f"the settings {', '.join(used.names)}",
            read_problem=source.read_problem,
            hints=source.hints,
            gone=source.gone,
            same_get_seconds=source.same_get_seconds,
            link_hosts=source.link_hosts,
            clock=clock,
            limits=limits,
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
        judge: Callable[[Answer], object] | None = None,
    ) -> Answer:
        """The whole answer of one call, its body complete JSON or XML; errors as for `HttpClient.call`.

        `judge` raises `Misplaced`, beside what the endpoint itself objects to.
        """
        own = self.judge(endpoint, path=path, params=params, account=account)

        def both(answer: Answer) -> None:
            own(answer)
            if judge is not None:
                judge(answer)

        return self._call(endpoint, path, params, account, both)

    def judge(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        params: Query | None = None,
        account: Account | None = None,
    ) -> Callable[[Answer], None]:
        """Raises `Misplaced` for an answer with one object that is not to this question."""
        asked = Asked(path or {}, dict(params or ()), account, self.today)

        def own(answer: Answer) -> None:
            try:
                whole = tree(answer.xml()) if answer.is_xml else answer.json()
            except (Unavailable, AccountError):
                # The reader of the answer reports this, or needs its headers only.
                whole = None
            self._hold(endpoint, asked, answer, [whole] if isinstance(whole, Mapping) else [])

        return own

    def _hold(self, endpoint: Endpoint, asked: Asked, answer: Answer, records: Sequence[Record]) -> None:
        """Raise `Misplaced` where an answer shows that it is another account's, realm's or question's."""
        header, account = self.source.account_header, asked.account
        named = answer.headers.get(header) if header and account is not None and header in account.headers else None
        if named is not None and account is not None and named != account.headers[header]:
            raise Misplaced.of(answer.about, f"it is for account {named}, and {account.headers[header]} was asked")
        for record in records:
            for name, value in self.source.realm_of(record).items():
                if self.realm.setdefault(name, value) != value:
                    raise Misplaced.of(answer.about, f"its {name} is {value}, and {self.realm[name]} was asked")
        objection = endpoint.objection(asked)
        if objection is not None and (said := objection(records)):
            raise Misplaced.of(answer.about, said)

    def _call(
        self,
        endpoint: Endpoint,
        path: Mapping[str, str] | None,
        params: Query | None,
        account: Account | None,
        judge: Callable[[Answer], None],
    ) -> Answer:
        for problem in endpoint_problems(f"{endpoint.method} {endpoint.path}", endpoint, self.hosts, None):
            raise DeclarationError(problem)
        # The account's id is there for every path.
        known = {} if account is None else {"account_id": account.account_id}
        return self.http.call(
            endpoint.method,
            endpoint.host,
            fill(endpoint.path, {**known, **(path or {})}),
            params=params or (),
            headers={"Accept": endpoint.accept, **(account.headers if account else {})},
            account=account.account_id if account else None,
            parse=True,
            absence=endpoint.absence,
            judge=judge,
        )

    def records(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] | None = None,
        params: Query | None = None,
        account: Account | None = None,
        heed: Callable[[Answer], object] = lambda _answer: None,
    ) -> Iterator[Record]:
        """The records of all pages, as the vendor orders them.

        `heed` is told each answer before its records are looked for; what it raises ends the list.

        Where the record that paging would go on from has been deleted meanwhile, it goes on from an earlier one;
        what has been read already does not come again.

        Raises:
            AccountError: the answer has no place for records, or its pages do not advance.
        """
        asked = endpoint

        def follow(link: str, page: Page) -> Page:
            nonlocal asked
            place = place_of(link, self._bases[asked.host] + fill(asked.path, names), self._bases, page)
            asked = replace(endpoint, host=place.host, path=place.path)
            return self._page(asked, {}, place.query, account, heed)

        names = {**({} if account is None else {"account_id": account.account_id}), **(path or {})}
        return pages(
            endpoint.paging, lambda query: self._page(endpoint, path, query, account, heed), follow, list(params or [])
        )

    def _page(
        self,
        endpoint: Endpoint,
        path: Mapping[str, str] | None,
        query: Query,
        account: Account | None,
        heed: Callable[[Answer], object],
    ) -> Page:
        """One answer of a list."""
        asked = Asked(path or {}, dict(query), account, self.today)
        read: list[Page] = []

        def judge(answer: Answer) -> None:
            heed(answer)
            whole = tree(answer.xml()) if answer.is_xml else answer.json()
            page = Page(answer, whole, records_of(answer, whole, endpoint))
            self._hold(endpoint, asked, answer, page.records)
            read[:] = [page]

        last = self._call(endpoint, path, query, account, judge)
        if not read:
            judge(last)
        return read[0]


def _field_at(record: Record, path: str) -> Any:
    """As `value_at`, but refuses with ValueError where text or several objects stand in the way."""
    value: Any = record
    for key in path.split("."):
        if value is None or value == "":
            return None
        if not isinstance(value, Mapping):
            raise ValueError("no object")  # noqa: TRY004 - one error type for every refused value
        value = value.get(key)
    return value


def has_key(record: Any, path: str) -> bool:
    """Whether a dotted path leads to a key, also to one that is null; an empty path is the record itself."""
    outer, _, key = path.rpartition(".")
    found = value_at(record, outer) if outer else record
    return not path or (isinstance(found, Mapping) and key in found)


def _check_need(column: Field, record: Record) -> None:
    """Raises ValueError where the record lacks what each must have."""
    if column.need is Need.OPTIONAL:
        return
    if not has_key(record, column.path):
        raise ValueError(f"{column.path} is missing, which each record has by the vendor's documents")
    if column.need is Need.VALUE and value_at(record, column.path) in (None, ""):
        raise ValueError(f"{column.path} is empty, which it never is by the vendor's documents")


def map_fields(fields: tuple[Field, ...], record: Record) -> dict[str, Any]:
    """The record's columns.

    Raises:
        ValueError: a column refused its value, or the record lacks what each must have; it names the column, not the
            value. Or an object has two values
            for a number, of which nobody knows the right one.
    """
    if isinstance(record, Doubled) and record.holds_numbers:
        raise ValueError("it has a number twice, with different values")
    return {column.name: _column(column, record) for column in fields}


def _column(column: Field, record: Record) -> Any:
    _check_need(column, record)
    try:
        raw = _field_at(record, column.path) if column.path else record
        return None if raw is None or raw == "" else column.convert(raw, record)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        raise ValueError(f"{column.path or column.name} is not a {column.name} that can be trusted") from None
