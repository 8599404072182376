"""What the catalogue asks for that is not to be had, and what it keeps away from a sync.

What no stream does is refused, and so is a selection of nothing; a report that is kept away is told. The SDK passes
over all of it in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.reports.state.ledger import KEY
from tap_billing_reports.singer.streams.report_rows import ReportRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk import Stream
    from singer_sdk.singerlib import Catalog

    from tap_billing_reports.singer.context import SyncContext

NAMED = 5
# As Singer calls the method that reads all of a stream each time.
FULL_TABLE = "FULL_TABLE"
# Where a catalogue's metadata may ask for another method or key. Of these the SDK reads two.
METHODS = ("replication-method", "forced-replication-method")
KEYS = ("table-key-properties", "view-key-properties")


def check_selection(tap: SyncContext) -> None:
    """See that there is something to do.

    Raises:
        ConfigError: the catalogue is another tap's, or selects no stream: a sync would send nothing and call it
            a success. Or it asks for a way to read a stream, or for keys of its records, that the stream has not.
    """
    catalog = tap.input_catalog
    if catalog is None:
        return
    for asked in tap.asked_streams:
        stream = tap.streams.get(asked["tap_stream_id"])
        if stream is not None and stream.selected:
            _check_asked(asked, stream)
    if any(stream.selected for stream in tap.streams.values()):
        return
    if any(catalog.get_stream(name) is not None for name in tap.streams):
        raise ConfigError(
            f"the catalogue deselects every stream, so there is nothing to read: select some "
            f"(Meltano: meltano select {tap.name} '*' '*'), or give no catalogue to read all"
        )
    theirs = _some([entry.tap_stream_id for entry in catalog.streams]) or "none"
    raise ConfigError(
        f"the catalogue has no stream of this tap (it has {theirs}): create it again with --discover and the same "
        f"settings (Meltano: --refresh-catalog)"
    )


def _check_asked(asked: dict[str, Any], stream: Stream) -> None:
    """See that a stream can be read as the catalogue asks, in its own words or in its metadata."""
    root: dict[str, Any] = {}
    for part in asked.get("metadata", ()):
        if not part["breadcrumb"]:
            root |= part["metadata"]
    has = f"the catalogue asks for {{}} of {stream.name}, which has"
    methods = [asked.get("replication_method"), *(root.get(name) for name in METHODS)]
    for method in filter(None, methods):
        if method != stream.replication_method:
            again = (
                "; to read all of it once more, run a full refresh (Meltano: --full-refresh), or leave the stream out "
                "of the state"
            )
            raise ConfigError(
                f"{has.format(f'the replication method {method}')} {stream.replication_method}: take it out of the "
                f"catalogue{again if method == FULL_TABLE else ''}"
            )
    for key in filter(None, (asked.get("replication_key"), root.get("replication-key"))):
        if key != stream.replication_key:
            raise ConfigError(
                f"{has.format(f'the replication key {key}')} {stream.replication_key or 'none'}: take it out of the "
                f"catalogue"
            )
    for keys in filter(None, (asked.get("key_properties"), *(root.get(name) for name in KEYS))):
        if list(keys) != list(stream.primary_keys):
            # With fewer columns a target would write different records over each other.
            raise ConfigError(
                f"{has.format(f'the key {_some(list(keys))}')} {', '.join(stream.primary_keys)}: take it out of the "
                f"catalogue"
            )


def skipped_reports(tap: SyncContext) -> Iterator[str]:
    """The configured reports and the columns that the catalogue keeps away; the SDK passes them over in silence.

    One that is new since the catalogue was made is not in it; one that selection patterns made before it was
    configured do not match is there, but deselected.
    """
    catalog = tap.input_catalog
    if catalog is None:
        return
    wanted = {report.stream for report in tap.lifecycle.wanted()}
    strangers = [
        entry.tap_stream_id
        for entry in catalog.streams
        if entry.tap_stream_id not in tap.streams and entry.metadata.root.selected
    ]
    if strangers:
        yield (
            f"the catalogue selects {_some(strangers)}, which these settings do not have, so nothing of it was sent: "
            f"put the report back into the settings, or make the catalogue anew"
        )
    for stream in tap.streams.values():
        if stream.selected:
            yield from _left_out(stream, catalog)
        elif not isinstance(stream, ReportRows):
            continue
        elif catalog.get_stream(stream.name) is None:
            yield (
                f"{stream.name} is configured but not in the catalogue, so none of its rows were sent: make the "
                f"catalogue anew with --discover (Meltano: --refresh-catalog)"
            )
        elif stream.name not in wanted:
            yield (
                f"{stream.name} is configured but deselected in the catalogue, so nothing of it was ordered or sent: "
                f"select it (Meltano: meltano select {tap.name} {stream.name} '*') or take it out of the settings"
            )


def forsaken_runs(tap: SyncContext) -> Iterator[str]:
    """The ordered runs of reports that the settings do not have any more: nobody collects them.

    Their bookmarks are passed on as they are. No more of them is read than this; what cannot be read has no runs.
    """
    bookmarks = tap.state.get("bookmarks", {})
    for stream in [name for name in bookmarks if name not in tap.streams]:
        for entry in _objects_in(bookmarks[stream], KEY):
            if runs := [facts for facts in _objects_in(entry, "open") if "run" in facts]:
                yield (
                    f"{stream} account {entry.get('account')}: {len(runs)} of its runs are still open, and the "
                    f"settings do not have the report any more, so nobody reads them: put it back into the settings, "
                    f"or take its bookmark out of the state"
                )


def _objects_in(value: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects in a list of a bookmark; none where it is something else."""
    listed = value.get(name) if isinstance(value, Mapping) else None
    return [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []


def _left_out(stream: Stream, catalog: Catalog) -> Iterator[str]:
    """The columns that a catalogue from before an update, or from before a change of the settings, does not have."""
    entry = catalog.get_stream(stream.name)
    known = entry.schema.properties if entry is not None else None
    missing = [name for name in stream.schema["properties"] if known and name not in known]
    if missing:
        yield (
            f"{stream.name}: not in the catalogue, so not sent: {_some(missing)}: make the "
            f"catalogue anew with --discover (Meltano: --refresh-catalog)"
        )


def _some(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
