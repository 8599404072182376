"""Reads what a declaration declares: opens an HTTP client, asks its endpoints page by page, maps its fields."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from tap_billing_reports.core.errors import AccountError, Misplaced, Refused, Unavailable, Unreadable
from tap_billing_reports.declare import Asked, CursorPaging, Need, TokenPaging
from tap_billing_reports.declare.paths import fill, local_name, tree, value_at
from tap_billing_reports.http.bodies import Doubled
from tap_billing_reports.http.client import HttpClient, Limits, RetryBudget

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.declare import Account, Endpoint, Field, Query, Record, Source, Values
    from tap_billing_reports.http.responses import Answer

# Records of a list whose keys are kept: so many in a row may be deleted while it is read.
_TRAIL_RECORDS: Final = 1000
# A list that loses its records faster than it can be read is given up.
_DETOURS: Final = 100


class HttpSourceClient:
    """Asks the endpoints of one source and yields records."""

    def __init__(self, source: Source, values: Values, *, clock: Clock, limits: Limits | None = None) -> None:
        self.source = source
        self.values = values
        self.clock = clock
        self.realm = source.whole_realm(values)
        """Where the data come from; what the settings do not say is learned from state, else from answers."""
        used = _Noted(values)
        authenticator = source.authenticator(used)
        self.http = HttpClient(
            source=source.name,
            account=source.account_label(values),
            hosts={host.name: values.get(host.setting) or host.url for host in source.hosts},
            authenticator=authenticator,
            headers=source.headers(values),
            remedy=f"the settings {', '.join(used.names)}",
            read_problem=source.read_problem,
            hints=source.hints,
            gone=source.gone,
            same_get_seconds=source.same_get_seconds,
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
        doubtful: bool = False,
        judge: Callable[[Answer], object] | None = None,
    ) -> Answer:
        """The whole answer of one call, its body complete JSON or XML; `doubtful` and errors as for `HttpClient.call`.

        `judge` raises `Misplaced`, beside what the endpoint itself objects to.
        """
        own = self.judge(endpoint, path=path, params=params, account=account)

        def both(answer: Answer) -> None:
            own(answer)
            if judge is not None:
                judge(answer)

        return self._call(endpoint, path, params, account, both, doubtful=doubtful)

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
        *,
        doubtful: bool = False,
    ) -> Answer:
        return self.http.call(
            endpoint.method,
            endpoint.host,
            fill(endpoint.path, path or {}),
            params=params or (),
            headers={"Accept": endpoint.accept, **(account.headers if account else {})},
            account=account.account_id if account else None,
            parse=True,
            doubtful=doubtful,
            judge=judge,
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

        Where the record that paging would go on from has been deleted meanwhile, it goes on from an earlier one;
        what has been read already does not come again.

        Raises:
            AccountError: the answer has no place for records, or its pages do not advance.
        """
        paging, cursor = endpoint.paging, None
        seen: set[str | None] = {None}
        trail = _Trail(paging) if isinstance(paging, CursorPaging) else None
        for number in count(1):
            query = list(params or [])
            if paging is not None:
                query.append(paging.size)
                if cursor is not None:
                    query.append((paging.parameter, cursor))
            try:
                answer, whole, page = self._page(endpoint, path, query, account)
            except Refused as error:
                if trail is None or cursor is None or not trail.is_lost(error):
                    raise
                cursor = trail.earlier(error)
                seen = {None, cursor}
                continue
            yield from page if trail is None else trail.new(page)
            more = None if paging is None else value_at(whole, paging.more)
            if more is None and isinstance(paging, CursorPaging):
                raise Unreadable(
                    "does not say whether there is more: the vendor's format has changed", about=answer.about
                )
            if paging is None or not more:
                return
            following = value_at(whole, paging.next) if isinstance(paging, TokenPaging) else _last_key(page, paging)
            if following is None:
                raise _no_way_on(answer, number, page, paging)
            cursor = str(following)
            if cursor in seen:
                raise Unreadable(
                    f"says that there is more after {cursor}, but sends nothing new; "
                    f"nothing of this list can be trusted",
                    about=answer.about,
                )
            seen.add(cursor)

    def _page(
        self, endpoint: Endpoint, path: Mapping[str, str] | None, query: Query, account: Account | None
    ) -> tuple[Answer, Any, list[Record]]:
        """One answer of a list: as it came, its body, its records."""
        asked = Asked(path or {}, dict(query), account, self.today)
        read: list[tuple[Answer, Any, list[Record]]] = []

        def judge(answer: Answer) -> None:
            whole = tree(answer.xml()) if answer.is_xml else answer.json()
            page = _records_of(answer, whole, endpoint)
            self._hold(endpoint, asked, answer, page)
            read[:] = [(answer, whole, page)]

        last = self._call(endpoint, path, query, account, judge)
        if not read:
            judge(last)
        return read[0]


class _Trail:
    """The keys of the last records of a list: where to go on once the record at the cursor is gone."""

    def __init__(self, paging: CursorPaging) -> None:
        self._paging = paging
        self._keys: deque[str] = deque(maxlen=_TRAIL_RECORDS)
        self._count = 0
        self._back = 1
        self._detours = 0
        self._old: frozenset[str] = frozenset()

    def new(self, page: list[Record]) -> Iterator[Record]:
        """Those of a page that have not been read, noted as read."""
        for record in page:
            key = value_at(record, self._paging.key)
            if key is not None:
                if str(key) in self._old:
                    continue
                self._keys.append(str(key))
                self._count += 1
            # One without a key is passed on as well: its reader refuses it by name.
            yield record
        self._back = 1

    def is_lost(self, error: Refused) -> bool:
        """Whether this refusal means that the record at the cursor is gone."""
        return self._paging.lost(error)

    def earlier(self, error: Refused) -> str | None:
        """The key before the last ones, in steps that double; None: from the start of the list.

        Raises:
            AccountError: none of those that are kept is there any more.
        """
        # What follows the place has been read, as far as it is still there.
        self._old = frozenset(self._keys)
        self._detours += 1
        last, self._back = self._back, self._back * 2
        if self._detours > _DETOURS or last > len(self._keys):
            raise AccountError(
                f"{error.message}: too much of this list is deleted while it is read: sync again later",
                about=error.about,
            ) from None
        if self._back <= len(self._keys):
            return self._keys[-self._back]
        self._back = len(self._keys) + 1
        return None if self._count == len(self._keys) else self._keys[0]


class _Noted(Mapping[str, Any]):
    """The settings, and which of them are looked at: those are what an authenticator signs with."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.names: list[str] = []

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            self.names.append(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def _records_of(answer: Answer, whole: Any, endpoint: Endpoint) -> list[Record]:
    """The answer's records: a bare list, a list under a known key, or a single one; nulls are skipped."""
    if isinstance(whole, list):
        return _listed(whole, answer)
    shapes = [whole]
    if answer.is_xml:
        # The root's own name may be the list's or the record's: an empty list has no other.
        shapes.append({local_name(answer.xml()): whole})
    for shape in shapes:
        if not isinstance(shape, Mapping):
            continue
        for key in endpoint.records:
            if key in shape:
                found = shape[key]
                if isinstance(found, Mapping) and endpoint.record in found:
                    found = found[endpoint.record]
                return _listed(found, answer)
        if endpoint.record and endpoint.record in shape:
            return _listed(shape[endpoint.record], answer)
    names = ", ".join(filter(None, (*endpoint.records, endpoint.record)))
    raise Unreadable(f"the answer has none of {names}: the vendor's format has changed", about=answer.about)


def _listed(found: Any, answer: Answer) -> list[Record]:
    """Raises AccountError for what is no object: read as a record, it would be one of nulls."""
    items = found if isinstance(found, list) else [found]
    records = [item for item in items if item is not None]
    if not all(isinstance(record, Mapping) for record in records):
        raise Unreadable("a record is no object: the vendor's format has changed", about=answer.about)
    return records


def _no_way_on(answer: Answer, number: int, page: list[Record], paging: CursorPaging | TokenPaging) -> Unreadable:
    """A page says that there is more, but not where: nothing after it can be read."""
    found = f"page {number} of the list says that there is more"
    if not page:
        why = "and has no records"
    elif isinstance(paging, TokenPaging):
        why = f"and nothing at {paging.next} to go on with"
    else:
        why = f"and its last record has no {paging.key} to go on from"
    error = Unreadable(f"{found}, {why}: nothing of this list can be trusted", about=answer.about)
    error.remedy = f"sync again; if it stays so, ask the vendor's support. {Unreadable.remedy}"
    return error


def _last_key(page: list[Record], paging: CursorPaging) -> Any:
    return value_at(page[-1], paging.key) if page else None


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
