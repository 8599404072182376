"""Runs the tap in this process, against whatever its settings point at, and takes its output apart."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_billing_reports.singer.tap import TapBillingReports
from tests.typed import writer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_billing_reports.core.clock import Clock
    from tap_billing_reports.http.client import Limits


@dataclass
class Result:
    """What a sync wrote. `records` by stream, in order; `log` is all that went to the loggers."""

    status: int
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    schemas: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    messages: list[tuple[str, str | None, Any]] = field(default_factory=list)
    """All in order: type, stream, and the record, schema or state."""
    log: str = ""
    error: OSError | None = None
    """What the output failed with; then the last line may be cut."""

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE."""
        return self.states[-1]

    def of(self, stream: str) -> list[dict[str, Any]]:
        """The records of a stream, none if there are none."""
        return self.records.get(stream, [])

    def table(self, stream: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        """What an upserting target holds of a stream: key -> record, without what was taken back."""
        rows = {tuple(record[name] for name in self.keys[stream]): record for record in self.of(stream)}
        return {key: record for key, record in rows.items() if not record.get("_sdc_deleted_at")}

    def doubles(self) -> dict[str, int]:
        """Streams that sent a key more than once, with how often."""
        found = {}
        for stream, records in self.records.items():
            seen = Counter(tuple(record[name] for name in self.keys[stream]) for record in records)
            if extra := sum(seen.values()) - len(seen):
                found[stream] = extra
        return found


class _Stdout(io.TextIOWrapper):
    """Takes text, and bytes through `buffer`."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined]


class _Lines(logging.Handler):
    """Keeps every record as one line of text."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {self.format(record)}")


def run_tap(
    config: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    catalog: Mapping[str, Any] | None = None,
    clock: Clock | None = None,
    limits: Limits | None = None,
    prepare: Callable[[TapBillingReports], None] | None = None,
) -> Result:
    """One sync. Wrong settings and refused state raise, as the constructor of the tap does.

    Args:
        prepare: changes the tap before it runs.
    """
    out, handler, root = _Stdout(), _Lines(), logging.getLogger()
    # Through JSON, as from a file: nothing is shared with the caller.
    given = [json.loads(json.dumps(part)) if part is not None else None for part in (config, state, catalog)]
    root.addHandler(handler)
    try:
        with contextlib.redirect_stdout(out):
            tap = TapBillingReports(config=given[0], state=given[1], catalog=given[2])
            if clock is not None:
                tap.clock = clock
            if limits is not None:
                tap.limits = limits
            if prepare is not None:
                prepare(tap)
            result = Result(status=1)
            try:
                result.status = tap.run()
                writer_of(tap).flush()
            except OSError as error:
                # No sync of ours: nobody is to get the rest at the end of this process.
                result.error = error
                writer_of(tap)._buffer.clear()
    finally:
        root.removeHandler(handler)
    result.log = "\n".join(handler.lines)
    lines = out.text().splitlines()
    if result.error is not None and lines and not out.text().endswith("\n"):
        lines.pop()
    for line in lines:
        _take(result, json.loads(line))
    return result


def _take(result: Result, message: dict[str, Any]) -> None:
    kind: str = message["type"]
    # Absent from a STATE alone.
    stream: Any = message.get("stream")
    if kind == "SCHEMA":
        result.schemas[stream] = message["schema"]
        result.keys[stream] = tuple(message["key_properties"])
    elif kind == "RECORD":
        assert stream in result.schemas, f"a record of {stream} before its schema"
        result.records.setdefault(stream, []).append(message["record"])
    elif kind == "STATE":
        result.states.append(message["value"])
    content = message.get("record") or message.get("schema") or message.get("value")
    result.messages.append((kind, stream, content))


def selecting(config: Mapping[str, Any], *streams: str) -> dict[str, Any]:
    """A catalogue that selects only these streams."""
    catalog = TapBillingReports(config=dict(config)).catalog_dict
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if not item["breadcrumb"]:
                item["metadata"]["selected"] = entry["tap_stream_id"] in streams
    return catalog
