"""What can be wrong with a declaration before anything is asked: one line each, for `Source.problems`."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from tap_billing_reports.core.schema_files import schema_text
from tap_billing_reports.declare.paths import names_in, path_slip

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from tap_billing_reports.declare.csv_form import Cells
    from tap_billing_reports.declare.endpoints import Endpoint, Field, Host
    from tap_billing_reports.declare.settings import Schema, Setting

# The streams that a source can add columns to: each has the schema of this name.
_STREAMS: Final = ("accounts", "invoices", "invoice_documents", "report_types", "report_runs", "report_files")


def name_problems(
    source: str, settings: Iterable[Setting], columns: Mapping[str, Mapping[str, Schema]]
) -> Iterator[str]:
    """Settings and columns of all sources stand side by side: their names begin with the source's."""
    own = f"{source}_"
    names = [setting.name for setting in settings]
    foreign = [
        name for name in [*names, *(name for added in columns.values() for name in added)] if name[: len(own)] != own
    ]
    if foreign:
        yield f"the settings and columns {', '.join(foreign)} do not begin with {own}"
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        yield f"the settings {', '.join(twice)} stand there twice"


def host_problems(hosts: Iterable[Host], settings: Iterable[Setting]) -> Iterator[str]:
    """A host's URL is a setting's or its own."""
    known = {setting.name: setting for setting in settings}
    for host in hosts:
        setting = known.get(host.setting)
        if setting is None:
            yield f"hosts: the setting {host.setting} of the host {host.name} is not declared"
        elif not (host.url or setting.required or setting.default):
            yield f"hosts: {host.name} has no URL, and its setting {host.setting} has no default and is not required"


def unknown_settings(read: Iterable[tuple[str, object]], settings: Iterable[Setting]) -> Iterator[str]:
    """Names of settings that are read where they stand, and are none.

    Args:
        read: where, and what stands there: the name of a setting, nothing, or a function.
        settings: those that are declared.
    """
    known = {setting.name for setting in settings}
    for where, name in read:
        if isinstance(name, str) and name and name not in known:
            yield f"{where}: the setting {name} is not declared"


def column_problems(columns: Mapping[str, Mapping[str, Schema]]) -> Iterator[str]:
    """Columns are added to streams that there are, where a record of another source has null."""
    for stream, added in columns.items():
        if stream not in _STREAMS:
            yield f"columns: {stream} is none of the streams {', '.join(_STREAMS)}"
        for name, schema in added.items():
            if "null" not in schema.get("type", ()):
                yield f"columns: the schema of {name} does not allow null, which every other source's records have"


def endpoint_problems(
    where: str, endpoint: Endpoint, hosts: Collection[str], filled: Collection[str] | None
) -> Iterator[str]:
    """An endpoint that could not be asked, or whose records could not be found.

    Args:
        where: how it stands in the declaration.
        endpoint: itself.
        hosts: the names of those that are declared.
        filled: the names that its path is given; None: a function tells.
    """
    if endpoint.host not in hosts:
        yield f"{where}: the host {endpoint.host} is not declared"
    if not endpoint.path.startswith("/"):
        yield f"{where}: the path {endpoint.path} does not begin with /"
    if not isinstance(endpoint.records, tuple):
        yield f"{where}: records must be a tuple of names, such as ({endpoint.records!r},)"
    for place in () if endpoint.paging is None else endpoint.paging.places:
        yield from path_problems(where, paging=place)
    if filled is not None:
        known = f"it knows {', '.join(sorted(filled))}" if filled else "it is given no names"
        if left := [name for name in names_in(endpoint.path) if name not in filled]:
            yield f"{where}: nothing fills {', '.join(left)} in the path {endpoint.path}: {known}"


def path_problems(where: str, **paths: str | None) -> Iterator[str]:
    """Places where no answer can have anything.

    Args:
        where: how they stand in the declaration.
        paths: name there -> the path; empty or None where there is none.
    """
    for name, path in paths.items():
        if path and (slip := path_slip(path)):
            yield f"{where}.{name}: {slip}"


def form_problems(where: str, forms: Mapping[str, Cells], described: Collection[str]) -> Iterator[str]:
    """A form of cells that could not be called, such as one that `d.cells` would have made; or of no column.

    Args:
        where: how they stand in the declaration.
        forms: header -> form.
        described: the headers that the catalogue has; none where nobody has described the report.
    """
    if described and (unknown := [header for header in forms if header not in described]):
        yield f"{where}: no column is called {', '.join(unknown)}: what is written so would be read as it comes"
    for header, form in forms.items():
        try:
            inspect.signature(form).bind([], list)
        except TypeError:
            yield f"{where}: {header} has no form of cells: it takes cells and a function, as d.cells.instants() does"


def field_problems(
    where: str, fields: Iterable[Field], stream: str, columns: Mapping[str, Mapping[str, Schema]]
) -> Iterator[str]:
    """A field of a column that the stream does not have would be left out of every record.

    Args:
        where: how the fields stand in the declaration.
        fields: themselves.
        stream: whose records they make.
        columns: stream -> columns that the source adds.
    """
    known = {*json.loads(schema_text(stream))["properties"], *columns.get(stream, ())}
    fields = [*fields]
    for field in fields:
        yield from path_problems(f"{where}: {field.name}", path=field.path)
    names = [field.name for field in fields]
    if unknown := [name for name in names if name not in known]:
        yield f"{where}: the stream {stream} has no column {', '.join(unknown)}: add it to `columns`, with its schema"
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        yield f"{where}: the columns {', '.join(twice)} stand there twice"
