"""The streams that one report lifecycle feeds together.

The SDK's parent and child streams cannot carry it: a filter on the parent would lose children's rows for good,
and one unreadable file would end them all. So the first selected member that the sync reaches drives the
lifecycle, and each finished run goes through every selected member's own `_sync_records`, with its selection
and stream maps, before the ledger calls it done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import metrics

from tap_billing_reports.singer.streams.base import BillingStream, Meter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from typing_extensions import Self

    from tap_billing_reports.declare import Report
    from tap_billing_reports.singer.finished_run import FinishedRun


class SharedMeter(Meter):
    """A record counter that stays open over many runs and speaks once, at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """One run is out; more may follow."""

    def finish(self) -> None:
        """Say the total."""
        self._pop()


class QuietTimer(metrics.Timer):
    """A timer that says nothing: the cycle as a whole is timed, not each run."""

    def __exit__(self, *_: object) -> None:
        """Nothing to say for one run."""


class ReportStream(BillingStream):
    """A stream fed by the lifecycle. Its progress is the ledger's: it keeps no bookmark value of its own."""

    state_partitioning_keys = ()
    _feeding: Iterable[Mapping[str, Any]] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.meter = SharedMeter(self.name, self.billing_tap.summary.records)
        self._schema_written = False

    # -- for subclasses --------------------------------------------------------------------------------

    def wants(self, report: Report) -> bool:
        """Whether a report must be ordered for this stream's sake."""
        raise NotImplementedError

    def records_of(self, finished_run: FinishedRun) -> Iterable[Mapping[str, Any]]:
        """The records of one finished run."""
        raise NotImplementedError

    def sample(self) -> Iterable[Mapping[str, Any]]:
        """What `--test` may read without ordering anything."""
        return ()

    # -- wiring ----------------------------------------------------------------------------------------

    def emit(self, finished_run: FinishedRun) -> None:
        """Send one finished run's records."""
        self.emit_records(self.records_of(finished_run))

    def emit_records(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Send records through the SDK's own path: selection, stream maps, counters."""
        if self.ABORT_AT_RECORD_COUNT is not None:
            # A limit that is reached in here would end the stream that drives, too.
            return
        self._feeding = records
        try:
            for _ in self._sync_records(context={"member": self.name}):
                pass
        finally:
            self._feeding = None

    def get_records(self, context: Any) -> Iterator[dict[str, Any]]:  # noqa: ARG002 - the SDK's signature
        if self._feeding is not None:
            yield from map(self.complete, self._feeding)
        elif self.ABORT_AT_RECORD_COUNT is not None:
            yield from map(self.complete, self.sample())
        else:
            self.billing_tap.lifecycle.drive()

    def get_record_counter(self, **_: Any) -> metrics.Counter:
        return self.meter

    def get_sync_timer(self) -> metrics.Timer:
        if self._feeding is None:
            return super().get_sync_timer()
        return QuietTimer(metrics.Metric.SYNC_DURATION, {metrics.Tag.STREAM: self.name})

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

    def _write_state_message(self) -> None:
        # From inside a run no STATE goes out: half of it would be called progress.
        if self._feeding is None:
            super()._write_state_message()

    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        """Progress is the ledger's."""

    def _write_starting_replication_value(self, context: Any) -> None:
        """Progress is the ledger's."""
