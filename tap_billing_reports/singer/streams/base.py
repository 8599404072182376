"""What all our streams share: their schema file, exact values, no BATCH, no table versions."""

from __future__ import annotations

import sys
from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream, Tap, metrics
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_billing_reports.core.json_text import to_json
from tap_billing_reports.core.redaction import redact
from tap_billing_reports.singer.outcome import Place
from tap_billing_reports.singer.schemas import stream_schema

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from singer_sdk.singerlib import Catalog

    from tap_billing_reports.declare import Record
    from tap_billing_reports.singer.context import SyncContext
    from tap_billing_reports.singer.session import Session

DECIMAL = "x-singer.decimal"


class Meter(metrics.Counter):
    """The SDK's record counter, which starts anew each time it has spoken, and the sum of all of them."""

    def __init__(self, stream: str, records: Counter[str]) -> None:
        super().__init__(metrics.Metric.RECORD_COUNT, {metrics.Tag.STREAM: stream})
        self._stream = stream
        self._records = records

    def increment(self, value: int = 1) -> None:
        self._records[self._stream] += value
        super().increment(value)


class BillingStream(Stream):
    """A stream whose records already have the types of its schema.

    Every record has every column of the schema, null where the vendor says nothing, so that targets see one
    shape. Amounts leave as `decimals_as` says.
    """

    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    # Versions of a table make targets drop the rows that an earlier sync has loaded.
    emit_activate_version_messages = False

    def __init__(self, tap: SyncContext, *, name: str | None = None, schema: dict[str, Any] | None = None) -> None:
        schema = schema or stream_schema(name or self.name)
        for source in tap.active_sources():
            schema["properties"].update(deepcopy(dict(source.columns.get(name or self.name, {}))))
        self._amounts = []
        if tap.config.get("decimals_as") == "number":
            for column, kind in schema["properties"].items():
                if kind.get("format") == DECIMAL:
                    self._amounts.append(column)
                    kind["type"] = ["number", "null"]
                    del kind["format"]
        if tap.config.get("include_source_record") is False:
            schema["properties"].pop("source_record", None)
        super().__init__(cast("Tap", tap), schema=schema, name=name)
        self.billing_tap = tap

    def log(self, message: str, *args: Any, **more: Any) -> None:
        """As the SDK's. What it calls an unhandled error is, in `--test`, the end that it puts after one record."""
        if not isinstance(sys.exc_info()[1], AbortedSyncFailedException | AbortedSyncPausedException):
            super().log(message, *args, **more)

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take the selection over. Keys and method stay the stream's own: `check_selection` refuses others."""
        own = self.primary_keys, self.replication_key
        super().apply_catalog(catalog)
        self.primary_keys, self.replication_key = own
        self.forced_replication_method = None

    @property
    def schema_name(self) -> str:
        """Which schema file describes the stream."""
        return self.name

    @property
    def session(self) -> Session:
        return self.billing_tap.session

    def get_record_counter(self, **_: Any) -> metrics.Counter:
        return Meter(self.name, self.billing_tap.summary.records)

    def _write_record_message(self, record: dict[str, Any]) -> None:
        super()._write_record_message(record)
        self.count(record)

    def count(self, record: Mapping[str, Any]) -> None:
        """The record is out: count it for its account."""
        self.billing_tap.summary.rows[Place(str(record.get("source")), str(record.get("account_id")), self.name)] += 1

    def get_batch_config(self, config: Mapping[str, Any]) -> None:
        """BATCH is not offered: the SDK's leaks deselected columns."""

    def complete(self, record: Record) -> dict[str, Any]:
        """The record with all columns of the schema, and no others; without what the vendor was sent as a secret."""
        whole = {name: record.get(name) for name in self.schema["properties"]}
        for name in self._amounts:
            if whole[name] is not None:
                whole[name] = Decimal(str(whole[name]))
        return redact.record(whole)

    def source_record(self, record: Record | None, hidden: frozenset[str] = frozenset()) -> str | None:
        """The vendor's object as JSON text, without what must not be kept."""
        if record is None:
            return None
        return to_json({key: value for key, value in record.items() if key not in hidden})
