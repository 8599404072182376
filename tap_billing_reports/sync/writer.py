"""What stands in the place of stdout: messages go to the loader, report rows without a message around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from singer_sdk.singerlib.encoding.base import SingerMessageType

from tap_billing_reports.reports.files import parquet
from tap_billing_reports.singer.writer import BufferedWriter, encoder
from tap_billing_reports.sync.rows import LoadedArrays, LoadedRows
from tap_billing_reports.warehouse.database import ArrayDatabase

if TYPE_CHECKING:
    from singer_sdk.singerlib.encoding.simple import Message

    from tap_billing_reports.warehouse.database import Database
    from tap_billing_reports.warehouse.loader import Loader


class WarehouseWriter(BufferedWriter):
    """Loads what a tap would print. Each STATE is committed at once: the tap paces them.

    It is made before the tap, and `load_into` tells it where to load before the first message.
    """

    _loader: Loader
    _rows: LoadedRows

    def load_into(self, loader: Loader, database: Database) -> None:
        """Where everything goes from now on."""
        self._loader = loader
        if isinstance(database, ArrayDatabase) and parquet.is_available():
            self.row_sink = self.array_sink = self._rows = LoadedArrays(loader, database)
        else:
            self.row_sink = self._rows = LoadedRows(loader, database)

    def write_message(self, message: Message) -> None:
        """One message.

        Raises:
            LoadError: the warehouse refuses.
            SystemExit: after a termination.
        """
        self.heed()
        with self.atomic():
            self._rows.flush()
            if message.type is SingerMessageType.STATE:
                self._loader.state(encoder.encode(message.to_dict()["value"]).decode(), at_once=True)
            else:
                self._loader.block(self.serialize_message(message))

    def write_lines(self, lines: bytes, *, at_once: bool = False) -> None:  # noqa: ARG002 - the loader decides
        """Whole lines, as `write_message`."""
        self.heed()
        with self.atomic():
            self._rows.flush()
            self._loader.block(lines)

    def flush(self) -> None:
        """Rows that are held wait for others: they go to the database with the next message, or at the end."""

    def finish(self) -> None:
        """The sync has ended: what is held is loaded and committed.

        Raises:
            LoadError: the warehouse refuses, or has refused before.
        """
        with self.atomic():
            self._rows.flush()
            self._loader.finish()
