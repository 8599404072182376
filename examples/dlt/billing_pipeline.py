"""tap-billing-reports into any destination of dlt: its rows with exact types, its STATE kept by dlt and given back.

    python billing_pipeline.py --destination duckdb --config config.json

The tap is a process of its own, from an environment of its own: the dependencies of the two do not meet.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dlt
from singer_messages import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = "singer_state"


@dataclass
class Tap:
    """One run of the tap.

    Attributes:
        command: such as `/opt/tap/bin/tap-billing-reports`, with options of its own.
        config: settings files, or ENV.
        status: its exit status, once it has ended.
    """

    command: str
    config: list[str]
    status: int | None = None

    def messages(self, state: str | None) -> Iterator[bytes]:
        """What it prints, from this STATE on."""
        options = [word for one in self.config for word in ("--config", one)]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            if state is not None:
                file.write(state)
                file.flush()
                options += ["--state", file.name]
            with subprocess.Popen([*shlex.split(self.command), *options], stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                try:
                    yield from process.stdout
                finally:
                    # Of no consequence to one that has ended; one that dlt breaks off sends its last STATE to nobody.
                    process.stdout.close()
                    process.terminate()
                self.status = process.wait()


@dlt.source(name="billing_reports", max_table_nesting=0)
def billing_reports(tap: Tap) -> Any:
    """Every stream of the tap, as a table of its own.

    One resource brings all: the tap is one process, whose messages come in one order.
    """

    def rows() -> Iterator[Any]:
        kept = dlt.current.source_state()
        reader = Reader()
        for batch in reader.read(tap.messages(kept.get(STATE))):
            table = batch.table
            hints = dlt.mark.make_hints(
                table_name=table.name,
                columns=table.columns,
                primary_key=table.keys,
                write_disposition="merge" if table.keys else "append",
            )
            yield dlt.mark.with_hints(batch.rows, hints, create_table_variant=True)
        if reader.state is not None:
            kept[STATE] = reader.state

    return dlt.resource(rows, name="messages")


def sync(pipeline: dlt.Pipeline, tap: Tap) -> int:
    """Load what is new; the tap's exit status.

    What came before a failure is loaded, with the STATE that stands behind it: the next sync goes on there.
    """
    # What an earlier one has read and not loaded, before the tap goes on behind it.
    if pipeline.has_pending_data:
        pipeline.run()
    pipeline.run(billing_reports(tap)).raise_on_failed_jobs()
    assert tap.status is not None
    return tap.status


def main() -> None:
    """The command."""
    options = argparse.ArgumentParser(description="tap-billing-reports into any destination of dlt")
    options.add_argument("--tap", default="tap-billing-reports", help="the tap's command")
    options.add_argument("--config", action="append", required=True, help="settings file, or ENV; may be repeated")
    options.add_argument("--destination", default="duckdb")
    options.add_argument("--dataset", default="billing")
    options.add_argument("--pipeline", default="billing_reports", help="whose STATE it is")
    given = options.parse_args()
    pipeline = dlt.pipeline(given.pipeline, destination=given.destination, dataset_name=given.dataset)
    sys.exit(sync(pipeline, Tap(given.tap, given.config)))


if __name__ == "__main__":
    main()
