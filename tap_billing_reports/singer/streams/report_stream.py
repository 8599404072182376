"""The streams that one report lifecycle feeds together.

The SDK's parent and child streams cannot carry it: a filter on the parent would lose children's rows for good,
and one unreadable file would end them all. So the first selected one that the sync reaches drives the lifecycle.
That sends the records of each finished run through every selected stream, with its selection and stream maps,
before the ledger calls the run's period done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.singer.streams.base import BillingStream, Meter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Self

    from singer_sdk import metrics

    from tap_billing_reports.declare import Report


class SharedMeter(Meter):
    """A record counter that stays open over many runs and speaks once, at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """One run is out; more may follow."""

    def finish(self) -> None:
        """Say the total."""
        self._pop()


class ReportStream(BillingStream):
    """A stream fed by the lifecycle. Its progress is the ledger's: it keeps no bookmark value of its own."""

    state_partitioning_keys = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.meter = SharedMeter(self.name, self.billing_tap.summary.records)
        self._schema_written = False

    # -- for subclasses --------------------------------------------------------------------------------

    def wants(self, report: Report) -> bool:
        """Whether a report must be ordered for this stream's sake."""
        raise NotImplementedError

    def sample(self) -> Iterable[Mapping[str, Any]]:
        """What `--test` may read without ordering anything."""
        return ()

    # -- wiring ----------------------------------------------------------------------------------------

    def emit_records(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Send records with the stream's selection, stream maps and counter."""
        if self.is_sampled:
            return
        for record in records:
            self._write_record_message(self.complete(record))
            self.meter.increment()

    @property
    def is_sampled(self) -> bool:
        """Whether `--test` runs, which takes a single record of each stream: `sample` gives it."""
        return self.ABORT_AT_RECORD_COUNT is not None

    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        """Nothing by itself: the lifecycle sends the records, of this stream and of the others."""
        if self.is_sampled:
            yield from map(self.complete, self.sample())
        else:
            self.billing_tap.lifecycle.drive()

    def get_record_counter(self, **_: Any) -> metrics.Counter:
        return self.meter

    def get_replication_key_signpost(self, context: Any = None) -> None:
        """No signpost: the replication key never becomes a bookmark."""

    def _write_schema_message(self) -> None:
        if not self._schema_written:
            self._schema_written = True
            super()._write_schema_message()

    def write_schema_again(self) -> None:
        """The schema has changed: the next message of the stream is its SCHEMA."""
        self._schema_written = False
        self._write_schema_message()

    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        """Progress is the ledger's."""

    def _write_starting_replication_value(self, context: Any) -> None:
        """Progress is the ledger's."""
