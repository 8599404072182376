"""What stands in the place of stdout: messages go to the loader, report rows without a message around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding.base import SingerMessageType

from tap_billing_reports.singer.writer import BufferedWriter, encoder
from tap_billing_reports.warehouse.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from singer_sdk.singerlib.encoding.simple import Message

    from tap_billing_reports.warehouse.database import Database
    from tap_billing_reports.warehouse.loader import Loader

# About the bytes of a value in a message: a transaction's size is counted in bytes of messages.
VALUE_BYTES = 16


class WarehouseWriter(BufferedWriter):
    """Loads what a tap would print. Each STATE is committed at once: the tap paces them.

    It is made before the tap, and `load_into` tells it where to load before the first message.
    """

    _loader: Loader

    def load_into(self, loader: Loader, database: Database) -> None:
        """Where everything goes from now on."""
        self._loader = loader
        self.row_sink = LoadedRows(loader, database)

    def write_message(self, message: Message) -> None:
        """One message.

        Raises:
            LoadError: the warehouse refuses.
            SystemExit: after a termination.
        """
        self.heed()
        with self.atomic():
            if message.type is SingerMessageType.STATE:
                self._loader.state(encoder.encode(message.to_dict()["value"]).decode(), at_once=True)
            else:
                self._loader.block(self.serialize_message(message))

    def write_lines(self, lines: bytes, *, at_once: bool = False) -> None:  # noqa: ARG002 - the loader decides
        """Whole lines, as `write_message`."""
        self.heed()
        with self.atomic():
            self._loader.block(lines)

    def flush(self) -> None:
        """Nothing is held here."""


class LoadedRows:
    """Report rows into their tables; see `RowSink`.

    The rows of a run are numbered and share the rest of their key. Where the warehouse has no row of that period yet,
    they go straight into the table.
    """

    def __init__(self, loader: Loader, database: Database) -> None:
        self._loader, self._database = loader, database
        self._period: tuple[str, tuple[Any, ...]] | None = None
        self._next = 0  # the number of the row that comes next, where all so far were new

    def rows(self, stream: str, rows: Sequence[Any], names: Collection[str], constants: Mapping[str, Any]) -> None:
        """Load some rows.

        Raises:
            LoadError: the warehouse refuses.
        """
        table = self._loader.table(stream)
        fields, defaults = rows[0].__struct_fields__, rows[0].__struct_defaults__
        # Constants may be in the rows' type already, as defaults.
        own = fields[: len(fields) - len(defaults)]
        attributes = {name: name for name in own if name in names and name in table.names}
        shared = {
            name: value
            for name, value in constants.items()
            if name in names and name not in attributes and name in table.names
        }
        batch = Batch(table, rows, attributes, shared)
        size = VALUE_BYTES * len(rows) * len(table.columns)
        self._loader.rows(batch, size, new=self._are_new(batch))

    def _are_new(self, batch: Batch) -> bool:
        """Whether no row of these keys is in the warehouse, for sure."""
        table = batch.table
        numbering = [key for key in table.keys if key in batch.attributes]
        if len(numbering) != 1:
            return False
        rest = {key: batch.shared.get(key) for key in table.keys if key not in batch.attributes}
        numbers = batch.values(numbering[0])
        period = (table.stream, tuple(rest.values()))
        if numbers[0] == 1:
            self._period = None if self._database.holds(table, rest) else period
            self._next = 1
        if self._period != period or numbers != list(range(self._next, self._next + len(numbers))):
            self._period = None
            return False
        self._next += len(numbers)
        return True
