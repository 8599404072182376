"""What the settings say of a report, and the report has no use for: refused in its entry, else told of."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import DeclarationError
from tap_billing_reports.declare import Listed, OrderedRuns, PerInvoice, Report, Subjects, Windowed
from tap_billing_reports.declare.settings import Noted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_billing_reports.declare import ReportApi, Source, Values

# What names a report, and tells nothing of how it is got.
_NAMES = frozenset({"report_type", "name"})
_WHY = {
    Listed: "it has a run for each subject that the vendor lists",
    PerInvoice: "it has a run for each invoice",
    Subjects: "it has a run for each subject that the settings name",
}


def unused_keys(source: Source, values: Values) -> Iterator[str]:
    """One line for each key of a report's entry without which, and with any other value of which, it is the same."""
    setting = f"{source.name}_reports"
    schema = next((one.schema for one in source.settings if one.name == setting), {})
    known = schema.get("items", {}).get("properties", {})
    for number, entry in enumerate(values.get(setting) or () if source.reports is not None else ()):
        made = _made(source, values, entry)
        for key in entry if made else ():
            if key in known and key not in _NAMES and not _tells(made, source, values, entry, key, known[key]):
                which = f"setting {setting}[{number}].{key} has no effect on a report of type {entry['report_type']}"
                why = _WHY.get(type(made[-1].cadence)) if key == "window" else None
                yield f"{which}{(why and f': {why}') or ''}: take it out"


def _tells(
    made: Sequence[Report],
    source: Source,
    values: Values,
    entry: Mapping[str, Any],
    key: str,
    schema: Mapping[str, Any],
) -> bool:
    """Whether another value of a key makes other reports than `made`, those of the entry."""
    value = entry[key]
    if key == "window" and any(isinstance(one.cadence, Windowed) and one.cadence.unit == value for one in made):
        # The vendor may have no other.
        return True
    without = {name: given for name, given in entry.items() if name != key}
    return any(_made(source, values, other) != made for other in (without, *_others(without, key, value, schema)))


def _others(without: Mapping[str, Any], key: str, value: Any, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The entry with other values of a key, such as its schema takes."""
    others: list[Any] = [other for other in schema.get("enum", ()) if other != value]
    if isinstance(value, bool):
        others.append(not value)
    elif isinstance(value, int):
        others.append(value + 1)
    elif isinstance(value, str):
        others.append(f"{value}x")
    elif isinstance(value, list):
        others.append([*value, "x"])
    elif isinstance(value, dict):
        others.append({**value, "x": "x"})
    for other in others:
        yield {**without, key: other}


def _made(source: Source, values: Values, entry: Mapping[str, Any]) -> list[Report]:
    """The reports of settings with this entry alone; none where the declaration cannot make them."""
    assert source.reports is not None
    try:
        return [*source.reports.configured({**values, f"{source.name}_reports": [entry]})]
    except DeclarationError:
        # A value that nobody gave: what the settings themselves say is looked at by others.
        return []


def unused_settings(values: Values, sources: Sequence[Source]) -> Iterator[str]:
    """One line for each setting of reports that none of those that are configured looks at.

    No error: a setting may stand there for a report that is taken out for a while.
    """
    for source in sources:
        api = source.reports
        if api is None or not all(values.get(name) for name in source.required):
            continue
        reports = [*api.configured(values)]
        ordered = [report for report in reports if isinstance(api.retrieval_of(report), OrderedRuns)]
        per_invoice = [report for report in reports if isinstance(report.cadence, PerInvoice)]
        orders = api.orders(values)
        for name, users, what in (
            (api.budget, ordered, "ordered"),
            (orders.reorder_setting if orders is not None else "", ordered, "ordered"),
            *((name, per_invoice, "of one run an invoice") for name in (api.skip_setting, *_of_stand_ins(api, values))),
        ):
            default = next((one.default for one in source.settings if one.name == name), None)
            if isinstance(name, str) and name and not users and values.get(name) not in (None, default):
                yield f"setting {name} has no effect: no report of {source.title} is {what}"


def _of_stand_ins(api: ReportApi, values: Values) -> list[str]:
    """The flags that decide on rows of invoices without a report: of reports of one run an invoice alone."""
    noted = Noted(values)
    # A report that nobody has configured: the declaration may know nothing of it.
    with suppress(DeclarationError):
        api.stand_ins(noted, Report("", "", "", "UTC", PerInvoice()))
    return [name for name in noted.names if isinstance(values.get(name), bool)]
