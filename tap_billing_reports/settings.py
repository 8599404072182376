"""The settings: their JSON Schema for the SDK, their validation without printing a value, their typed form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tap_billing_reports.declarations import Setting, Source, Values
from tap_billing_reports.redaction import redact

DATE_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T.*)?$"

TOP: tuple[Setting, ...] = (
    Setting(
        "start_date",
        "The first day to read, in each source's own time zone (YYYY-MM-DD).",
        {"type": "string", "pattern": DATE_PATTERN},
        required=True,
    ),
    Setting(
        "end_date",
        "Read nothing from this day on (YYYY-MM-DD, exclusive); unset: up to now.",
        {"type": "string", "pattern": DATE_PATTERN},
    ),
    Setting(
        "storage_url",
        "Where report files, invoice PDFs and the order journal are kept: a folder or any fsspec URL (s3://...). "
        "Unset: files are read and not kept.",
    ),
    Setting(
        "storage_options",
        "Options for the file system of `storage_url`, as fsspec takes them.",
        {"type": "object"},
        secret=True,
    ),
    Setting(
        "decimals_as",
        "`string`: amounts as exact decimal text, safe in every target; `number`: as JSON numbers, "
        "which some targets round.",
        {"type": "string", "enum": ["string", "number"]},
        default="string",
    ),
    Setting(
        "on_new_column",
        "What to do with a report column that is not in the catalogue: `add` it, `ignore` it, or `fail` the period.",
        {"type": "string", "enum": ["add", "ignore", "fail"]},
        default="add",
    ),
    Setting(
        "on_mismatch",
        "When a reconciliation fails: `warn`, or `fail`: the rows are sent, the bookmark stays, the sync exits 1.",
        {"type": "string", "enum": ["warn", "fail"]},
        default="warn",
    ),
    Setting(
        "run_deadline_minutes",
        "How long one sync waits for one report run; the next sync goes on waiting for the same run.",
        {"type": "integer", "minimum": 1},
        default=180,
    ),
    Setting(
        "max_new_runs",
        "How many new runs one sync may order for each report; the rest is deferred to the next sync.",
        {"type": "integer", "minimum": 1},
        default=60,
    ),
    Setting(
        "reuse_runs_since",
        "Adopt finished runs that the vendor lists only if they were created at or after this instant "
        "(RFC 3339); set it to order a corrected period anew.",
        {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.(\d{3}|\d{6}))?)?(Z|[+-]\d{2}:\d{2})?)?$"},
    ),
    Setting(
        "fail_fast",
        "End the sync at the first failure instead of finishing the other accounts and reports first.",
        {"type": "boolean"},
        default=False,
    ),
    Setting(
        "include_source_record",
        "Send the vendor's own object as JSON text in `source_record`.",
        {"type": "boolean"},
        default=True,
    ),
)


@dataclass(frozen=True)
class Settings:
    """The validated settings, typed where the engine needs them; `values` holds them all, with defaults."""

    values: Values
    start_date: date
    end_date: date | None
    storage_url: str | None
    storage_options: Mapping[str, Any]
    decimals_as: str
    on_new_column: str
    on_mismatch: str
    run_deadline_seconds: float
    max_new_runs: int
    reuse_runs_since: datetime | None
    fail_fast: bool
    include_source_record: bool

    @classmethod
    def of(cls, values: Values) -> Settings:
        """The typed form of settings that `problems` has found nothing wrong with."""
        return cls(
            values=values,
            start_date=date.fromisoformat(values["start_date"][:10]),
            end_date=date.fromisoformat(values["end_date"][:10]) if values.get("end_date") else None,
            storage_url=values.get("storage_url") or None,
            storage_options=values.get("storage_options") or {},
            decimals_as=values["decimals_as"],
            on_new_column=values["on_new_column"],
            on_mismatch=values["on_mismatch"],
            run_deadline_seconds=values["run_deadline_minutes"] * 60.0,
            max_new_runs=values["max_new_runs"],
            reuse_runs_since=_instant(values.get("reuse_runs_since")),
            fail_fast=values["fail_fast"],
            include_source_record=values["include_source_record"],
        )


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def all_settings(sources: Iterable[Source]) -> Iterator[Setting]:
    """The top settings, then each source's."""
    yield from TOP
    for source in sources:
        yield from source.settings


def config_jsonschema(sources: Sequence[Source]) -> dict[str, Any]:
    """The settings as the SDK shows them: `--about`, environment variables, `--config=ENV`."""
    properties: dict[str, Any] = {}
    for setting in all_settings(sources):
        schema = dict(setting.schema)
        schema["type"] = [schema["type"]] if setting in TOP and setting.required else [schema["type"], "null"]
        if "enum" in schema and "null" in schema["type"]:
            schema["enum"] = [*schema["enum"], None]
        schema["description"] = setting.description
        if setting.default is not None:
            schema["default"] = setting.default
        if setting.secret:
            schema |= {"secret": True, "writeOnly": True}
        properties[setting.name] = schema
    return {
        "type": "object",
        "properties": properties,
        "required": [setting.name for setting in TOP if setting.required],
    }


def with_defaults(values: Values, sources: Iterable[Source]) -> dict[str, Any]:
    """The settings with defaults for what is absent or null."""
    filled = dict(values)
    for setting in all_settings(sources):
        if filled.get(setting.name) is None and setting.default is not None:
            filled[setting.name] = setting.default
    return filled


def learn_secrets(values: Values, sources: Iterable[Source]) -> None:
    """Tell the redactor every secret value before anything may print it."""
    for setting in all_settings(sources):
        if setting.secret:
            redact.add(*_texts(values.get(setting.name)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def problems(values: Values, sources: Sequence[Source], schema: Mapping[str, Any]) -> list[str]:
    """What is wrong with the settings: one line each, naming the setting and never its value."""
    found = [
        _explain(error)
        for error in Draft202012Validator(schema).iter_errors(dict(values))
    ]
    if found:
        return found
    on = [source for source in sources if source.is_on(values)]
    if not on:
        each = "; or ".join(", ".join(source.required) for source in sources if source.required)
        return [f"no source is configured: set {each}"]
    for source in on:
        missing = [name for name in source.required if not values.get(name)]
        if missing:
            found.append(f"setting {', '.join(missing)} is missing: {source.title} needs {', '.join(source.required)}")
            continue
        found.extend(source.check(values))
    try:
        Settings.of(values)
    except ValueError:
        found.append("setting start_date, end_date or reuse_runs_since: no such day or instant")
    return found


def _explain(error: ValidationError) -> str:
    """One line for one schema violation; the offending value stays out of it."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    where = f"setting {place}" if place else "settings"
    rule, wanted = error.validator, error.validator_value
    if rule == "required" and isinstance(error.instance, Mapping):
        lacking = [name for name in wanted if name not in error.instance]
        return f"setting {'.'.join([place, lacking[0]]) if place else lacking[0]} is missing"
    if rule == "additionalProperties" and isinstance(error.instance, Mapping):
        known = set(error.schema.get("properties", {}))
        return f"{where} has unknown keys: {', '.join(sorted(set(error.instance) - known))}"
    if rule == "type":
        kinds = [wanted] if isinstance(wanted, str) else [kind for kind in wanted if kind != "null"]
        return f"{where} must be of type {' or '.join(kinds)}"
    if rule == "enum":
        return f"{where} must be one of {', '.join(str(option) for option in wanted if option is not None)}"
    if rule == "pattern":
        return f"{where} must match {wanted}"
    return f"{where} breaks the rule {rule} {wanted}"
