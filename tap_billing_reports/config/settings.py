"""The settings: their JSON Schema for the SDK, their defaults and secrets, their typed form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any
from urllib.parse import unquote, urlsplit

from tap_billing_reports.core.redaction import redact
from tap_billing_reports.declare import Setting, Source, Values

# Midnight may be written out, as other taps' settings have it; any other time would be silently ignored.
DATE_PATTERN = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T00:00(:00(\.0+)?)?(Z|\+00:00)?)?$"
# A fraction of three or six digits, as most programs write one.
INSTANT_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.([0-9]{3}|[0-9]{6}))?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?$"
)

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
        "What to do with a report column that the tap does not know yet: `add` it (unless the catalogue leaves out "
        "any column of that stream), `ignore` it, or `fail` the period.",
        {"type": "string", "enum": ["add", "ignore", "fail"]},
        default="add",
    ),
    Setting(
        "allow_missing_columns",
        "Columns that a report's files may lack though earlier files had them, by stream: "
        '`{"my_stream": ["description"]}`. Without its name here, a file that has lost a column fails.',
        {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string", "minLength": 1}}},
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
        {"type": "string", "pattern": INSTANT_PATTERN},
    ),
    Setting(
        "fail_fast",
        "End the sync at the first failure instead of finishing the other accounts and reports first.",
        {"type": "boolean"},
        default=False,
    ),
    Setting(
        "on_finish",
        'A command as a list of words, such as `["/usr/local/bin/tell"]`, which is run at the end of each sync, also '
        "of one that failed, with its summary as JSON on stdin. There is no shell; it has 30 seconds, and what becomes "
        "of it does not change the exit status.",
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
    ),
    Setting(
        "include_source_record",
        "Send the vendor's own object as JSON text in `source_record`.",
        {"type": "boolean"},
        default=True,
    ),
    Setting(
        "warehouse",
        "Where `billing-reports sync` loads to, unless it is told with `--into`: `duckdb:PATH` or `postgresql://...`.",
    ),
    Setting(
        "orders_relation",
        "A table or view of your own in the warehouse with one row an order, for the view `freight_per_order`.",
    ),
    Setting("order_column", "Its column with the order's number.", default="order_id"),
    Setting("tracking_column", "Its column with the shipment's (waybill's) number.", default="tracking_number"),
)


@dataclass(frozen=True)
class Settings:
    """The validated settings, typed where the engine needs them; `values` holds them all, with defaults."""

    values: Values = field(repr=False)
    start_date: date
    end_date: date | None
    storage_url: str | None = field(repr=False)
    storage_options: Mapping[str, Any] = field(repr=False)
    decimals_as: str
    on_new_column: str
    allow_missing_columns: Mapping[str, Sequence[str]]
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
            allow_missing_columns=values.get("allow_missing_columns") or {},
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
    moment = datetime.fromisoformat(text)
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
    """The settings with defaults for what is absent, null or empty text, which is how Meltano passes on unset ones."""
    filled = {name: value for name, value in values.items() if value is not None and value != ""}
    for setting in all_settings(sources):
        if setting.default is not None:
            filled.setdefault(setting.name, setting.default)
    return filled


def learn_secrets(values: Values, sources: Iterable[Source]) -> None:
    """Tell the redactor every secret value before anything may print it."""
    for setting in all_settings(sources):
        if setting.secret:
            # No vendor is sent what opens the storage, and much of it, such as a project's name, stands in records.
            redact.add(*texts(values.get(setting.name)), records=setting.name != "storage_options")
    redact.add(*_url_secrets(values.get("storage_url")), records=False)
    # The user of a database is no secret, and often a word such as `billing`, which would be masked everywhere.
    redact.add(*_url_secrets(values.get("warehouse"), user=False), records=False)


def texts(value: Any) -> Iterator[str]:
    """All texts within a setting's value, but for an object's keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def _url_secrets(url: Any, *, user: bool = True) -> Iterator[str]:
    """User and password of a URL, as written and as meant; a user without a password only where `user` is set."""
    if not isinstance(url, str) or "@" not in url:
        return
    try:
        user_info = urlsplit(url).netloc.rpartition("@")[0]
    except ValueError:
        return
    _, _, password = user_info.partition(":")
    if password or user:
        yield user_info
    yield from (password, unquote(password))
