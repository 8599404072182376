"""What streams and the lifecycle need of the tap, without knowing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from singer_sdk import Stream
    from singer_sdk.mapper import PluginMapper
    from singer_sdk.singerlib import Catalog
    from singer_sdk.singerlib.encoding.base import GenericSingerWriter

    from tap_billing_reports.declare import Account, Report, Source
    from tap_billing_reports.reports.jobs import ReportClient
    from tap_billing_reports.singer.outcome import Summary
    from tap_billing_reports.singer.session import Session


class ReportsOfSync(Protocol):
    """The report lifecycle of a sync, as its streams see it."""

    def drive(self) -> None:
        """Order, collect, send and close everything that is due and wanted; the second call does nothing."""

    def wanted(self) -> list[Report]:
        """The reports that a selected stream needs."""

    def client(self, name: str) -> ReportClient:
        """A source's reports, by its name; opened once a sync."""

    def clients_and_accounts(self) -> Iterable[tuple[ReportClient, Account]]:
        """Every account of every source that has reports."""


class SyncContext(Protocol):
    """The tap of one sync, as its streams see it."""

    name: str
    asked_streams: list[dict[str, Any]]

    @property
    def config(self) -> Mapping[str, Any]:
        """The settings, with defaults."""

    @property
    def streams(self) -> Mapping[str, Stream]:
        """All streams, in the order of the sync."""

    @property
    def input_catalog(self) -> Catalog | None:
        """The catalogue that the user gave."""

    @property
    def mapper(self) -> PluginMapper:
        """The SDK's stream maps."""

    @property
    def state(self) -> Any:
        """All bookmarks, also those of streams that the settings do not have."""

    @property
    def message_writer(self) -> GenericSingerWriter[Any, Any]:
        """Where messages go."""

    @property
    def session(self) -> Session:
        """What all streams of this sync share."""

    @property
    def summary(self) -> Summary:
        """What the closing lines will tell."""

    @property
    def lifecycle(self) -> ReportsOfSync:
        """The report lifecycle."""

    def active_sources(self) -> tuple[Source, ...]:
        """The sources that the settings turn on."""

    def before_each_state(self, write: Callable[[], None]) -> None:
        """`write` is called before each STATE goes out: what is kept apart until then goes into its bookmark."""

    def uninterrupted(self) -> AbstractContextManager[None]:
        """A signal that ends the sync waits until this is left."""
