"""What is wrong with the settings: one line each that names the setting and never holds its value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from jsonschema import Draft202012Validator

from tap_billing_reports.config.settings import Settings, all_settings, texts
from tap_billing_reports.config.unused import unused_keys
from tap_billing_reports.core.dates import zone_named
from tap_billing_reports.core.json_files import json_slip
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.http.transport import checked_base

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

    from tap_billing_reports.declare import Report, Source, Values

# What PostgreSQL keeps of a table's name.
LONGEST_STREAM = 63
# Names in the settings are shorter by their schema; a catalogued type may give a longer one that still fits.
_is_name = re.compile(r"[a-z][a-z0-9_]*").fullmatch
# A century of days, and more runs or minutes than anybody waits for: beyond it dates leave the calendar.
LARGEST_INTEGER = 36_500
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
NEARLY = 0.8  # how alike a misspelt name is to the one that was meant, of 1
_VERSION = re.compile(r"\.\d+$")
_WORD = re.compile(r"[a-z_]{1,40}")


def malformed(values: Values, sources: Sequence[Source], schema: Mapping[str, Any]) -> list[str]:
    """What no setting may be, whatever else is missing: wrong types, URLs, names. Discovery asks for this much."""
    validator = Draft202012Validator({**_bounded(schema), "required": []})
    found = [_explain(error) for error in validator.iter_errors(dict(values))]
    if not found:
        found.extend(_unprintable(values, sources))
    if not found:
        found.extend(_hosts(values, sources))
        found.extend(_names([source for source in sources if source.is_on(values)], values))
    return list(dict.fromkeys(found))


def problems(values: Values, sources: Sequence[Source], schema: Mapping[str, Any], now: datetime) -> list[str]:
    """What is wrong with settings that are filled in with `with_defaults`; nothing when a sync can start.

    Args:
        values: the settings.
        sources: all that there are; those with a required setting are on.
        schema: the settings' JSON Schema.
        now: aware; `reuse_runs_since` may not lie after it.
    """
    lacking = [f"setting {name} is missing" for name in schema["required"] if values.get(name) is None]
    found = [*lacking, *malformed(values, sources, schema)]
    if found:
        return found
    on = [source for source in sources if source.is_on(values)]
    if not on:
        each = "; or ".join(", ".join(source.required) for source in sources if source.required)
        return [f"no source is configured: set {each}"]
    for source in on:
        missing = [name for name in source.required if not values.get(name)]
        if missing:
            needed = ", ".join(source.required)
            found.append(f"setting {', '.join(missing)} is missing: {source.title} needs {needed}")
        else:
            found.extend(source.check(values))
            found.extend(unused_keys(source, values))
            # Nobody's settings are wrong then, but nothing that is read could be trusted either.
            found.extend(f"the declaration of {source.title}: {line}" for line in source.problems(values))
    return [*found, *_dates(values, now)]


def unknown_types(values: Values, sources: Sequence[Source]) -> Iterator[str]:
    """One line for each report type that is nearly one that is known. No error: a vendor may have more than we know."""
    for source in sources:
        if source.reports is None or not all(values.get(name) for name in source.required):
            continue
        known = list(source.reports.known_types)
        for report in source.reports.configured(values):
            near = get_close_matches(report.report_type, known, n=1, cutoff=NEARLY)
            # Another version of a known type is no misspelling.
            if (
                near
                and report.report_type not in known
                and _VERSION.sub("", report.report_type) != _VERSION.sub("", near[0])
            ):
                yield sentence(
                    f"setting {source.name}_reports: no report type {sentence(report.report_type, 80)} is known: "
                    f"is {near[0]} meant?"
                )


def unknown(values: Values, schema: Mapping[str, Any]) -> Iterator[str]:
    """One line for each setting that does not exist. No error: Meltano and wrappers may add their own."""
    known = schema["properties"]
    for name in values:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.8)
            meant = f": is {near[0]} meant?" if near else ""
            yield sentence(f"setting {sentence(name, 80)} does not exist and has no effect{meant}")


def _dates(values: Values, now: datetime) -> Iterator[str]:
    try:
        settings = Settings.of(values)
    except ValueError:
        yield "setting start_date, end_date or reuse_runs_since is no day or instant of the calendar"
        return
    since = settings.reuse_runs_since
    days = {"start_date": settings.start_date, "end_date": settings.end_date}
    days["reuse_runs_since"] = since.date() if since is not None else None
    for name, day in days.items():
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            yield f"setting {name} must lie between the years {FIRST_DAY.year} and {LAST_DAY.year}"
            return
    if settings.end_date is not None and settings.end_date <= settings.start_date:
        yield "setting end_date must be after start_date: there is nothing to read otherwise"
    # A day's grace for clocks and zones; an instant ahead would order every run anew in every sync.
    if since is not None and since > now + timedelta(days=1):
        yield "setting reuse_runs_since must not lie in the future"


def _unprintable(values: Values, sources: Sequence[Source]) -> Iterator[str]:
    """A pasted line break ends up in a header or a path, and is seen by nobody."""
    for setting in all_settings(sources):
        value = values.get(setting.name)
        blanks = isinstance(value, str) and value != value.strip()
        # A file system's options may be a whole private key.
        if blanks or (setting.name != "storage_options" and not all(text.isprintable() for text in texts(value))):
            yield f"setting {setting.name} begins or ends with a blank, or holds a line break or control character"


def _hosts(values: Values, sources: Sequence[Source]) -> Iterator[str]:
    for source in sources:
        for host in source.hosts:
            try:
                checked_base(values.get(host.setting) or host.url or "https://unset")
            except ValueError as error:
                yield f"setting {host.setting} {error}"


def _names(on: Sequence[Source], values: Values) -> Iterator[str]:
    """Reports are streams, and streams are tables: their names must differ and fit."""
    streams: Counter[str] = Counter()
    for source in on:
        if source.reports is None or not all(values.get(name) for name in source.required):
            continue
        for report in source.reports.configured(values):
            yield from _name(source, report)
            streams[report.stream] += 1
            if streams[report.stream] == 2:
                yield (
                    f"setting {source.name}_reports: two reports would be the stream {report.stream}: "
                    f"give one of them another name"
                )


def _name(source: Source, report: Report) -> Iterator[str]:
    which = f"setting {source.name}_reports: the report of type {report.report_type}"
    if not _is_name(report.name) or len(report.stream) > LONGEST_STREAM:
        yield (
            f"{which} has no name that a stream can have: set its name (a letter, then a-z, 0-9 and _; "
            f"at most {LONGEST_STREAM} characters with {source.name}_ in front)"
        )
    try:
        zone_named(report.zone)
    except ValueError:
        yield f"{which} has a timezone that is no IANA time zone"


def _bounded(schema: Any) -> Any:
    """The schema with a largest value for every integer that has none."""
    if isinstance(schema, list):
        return [_bounded(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    bounded = {key: _bounded(part) for key, part in schema.items()}
    if bounded.get("type") in ("integer", ["integer"], ["integer", "null"]):
        bounded.setdefault("maximum", LARGEST_INTEGER)
    return bounded


_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "a text",
}
_LIMITS = {
    "minimum": "be at least {}",
    "maximum": "be at most {}",
    "minLength": "not be empty",
    "maxLength": "have at most {} characters",
    "minItems": "have at least {} entries",
}


def _explain(error: ValidationError) -> str:
    """One line for one schema violation; neither the offending value nor a key of it is part of it."""
    place = _place(error)
    where = f"setting {place}" if place else "settings"
    rule, wanted = error.validator, cast("Any", error.validator_value)
    schema = cast("Mapping[str, Any]", error.schema)
    if rule == "required" and isinstance(error.instance, Mapping):
        lacking = [name for name in wanted if name not in error.instance]
        return f"setting {place}.{lacking[0]} is missing"
    said = f"breaks the rule {rule}"
    if rule == "additionalProperties":
        said = _unknown_key(error.instance, schema.get("properties", {}))
    elif rule == "type":
        kinds = [wanted] if isinstance(wanted, str) else [kind for kind in wanted if kind != "null"]
        said = f"must be {' or '.join(_KINDS.get(kind, kind) for kind in kinds)}"
        if isinstance(error.instance, str) and error.instance.lstrip().startswith(("[", "{")):
            # From an environment variable, where lists and objects are JSON.
            slip = json_slip(error.instance)
            said += f"; the given text {slip}" if slip else ""
    elif rule == "enum":
        said = f"must be one of {', '.join(str(option) for option in wanted if option is not None)}"
    elif rule == "pattern":
        meaning = schema.get("description")
        said = f"does not have the form that it needs: {meaning}" if meaning else f"must match {wanted}"
    elif rule in _LIMITS:
        said = f"must {_LIMITS[rule].format(wanted)}"
    return f"{where} {said}"


def _unknown_key(instance: Any, known: Mapping[str, Any]) -> str:
    """Names the key where it is a word such as those of the settings: anything else may be a secret."""
    keys = [str(key) for key in instance if key not in known] if isinstance(instance, Mapping) else []
    said = f"has a key that is none of {', '.join(known)}"
    for key in keys:
        if _WORD.fullmatch(key):
            near = get_close_matches(key, known, n=1)
            return f"{said}: {key}" + (f"; is {near[0]} meant?" if near else "")
    return said


def _place(error: ValidationError) -> str:
    """Where the violation is, as far as the schema knows the way: keys of one's own may be secrets too."""
    place, known = "", set(error.absolute_schema_path)
    for part in error.absolute_path:
        if isinstance(part, str) and part not in known:
            break
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place.lstrip(".")
