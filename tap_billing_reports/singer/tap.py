"""The tap: its settings, its streams and their order, a sync and its exit status."""

# ruff: noqa: PLC0415 - what only a sync needs is imported where it is used: discovery needs little more than the SDK

from __future__ import annotations

import os
import signal
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from tap_billing_reports import __version__
from tap_billing_reports.config.environment import reading_file, settings_from
from tap_billing_reports.config.settings import Settings, config_jsonschema, learn_secrets, with_defaults
from tap_billing_reports.config.unused import unused_settings
from tap_billing_reports.config.validation import malformed, problems, unknown, unknown_types
from tap_billing_reports.core import redaction
from tap_billing_reports.core.clock import Clock, CountingClock
from tap_billing_reports.core.errors import AccountError, BillingError, FirstFailure
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.singer.command import TapCommand
from tap_billing_reports.singer.outcome import Summary
from tap_billing_reports.singer.state_check import check_whole_state
from tap_billing_reports.singer.state_writer import LineStates
from tap_billing_reports.singer.streams import core_streams, row_streams, sync_rank
from tap_billing_reports.singer.termination import SIGNALLED
from tap_billing_reports.singer.writer import BufferedWriter
from tap_billing_reports.vendors import all_sources

if TYPE_CHECKING:
    from collections.abc import Callable

    from singer_sdk import Stream

    from tap_billing_reports.declare import Source
    from tap_billing_reports.http.client import Limits
    from tap_billing_reports.singer.console.progress import Progress
    from tap_billing_reports.singer.lifecycle import Lifecycle
    from tap_billing_reports.singer.session import Session


class TapBillingReports(TapCommand):
    """Invoices and financial reports of Bring, BRP Systems, Klarna, Stripe and Vipps MobilePay, exact to the cent."""

    name = "tap-billing-reports"
    config_jsonschema = config_jsonschema(all_sources())
    capabilities = [  # noqa: RUF012 - declared as a class variable by the SDK
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    message_writer_class = BufferedWriter
    clock: Clock = Clock()
    limits: Limits | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        catalog = kwargs.get("catalog")
        # The SDK passes over some of what a catalogue may ask for.
        self.asked_streams: list[dict[str, Any]] = catalog["streams"] if isinstance(catalog, dict) else []
        """The streams of the given catalogue, as it has them."""
        super().__init__(*args, **kwargs)
        self._line_states = self._state_writer = LineStates(self.message_writer)

    # -- settings --------------------------------------------------------------------------------------

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Our own validation: the SDK's prints the offending value, which may be a key.

        Without `raise_errors`, for discovery, settings may be missing, but not malformed.
        """
        redaction.install()
        sources, schema = all_sources(), self.config_jsonschema
        learn_secrets(self._config, sources)
        self.append_builtin_config(schema)
        self._config = with_defaults(self._config, sources)
        errors = problems(self._config, sources, schema, self.clock.now())
        fatal = errors if raise_errors else malformed(self._config, sources, schema)
        if fatal:
            errors = [*fatal, *unknown(self._config, schema)]
            raise ConfigValidationError("Config validation failed", errors=errors, schema=None)
        return errors

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - the SDK's property of a class
        """The environment's settings, as text where they are malformed: the SDK's own parser shows the value."""
        schema = cls.config_jsonschema
        cls.append_builtin_config(schema)
        # With no settings to look for, this reads the .env file. The SDK's own search begins where the SDK is
        # installed, and without a file it would find what lies there; here it begins in the working directory.
        folder = Path.cwd()
        found = (path for above in (folder, *folder.parents) if (path := above / ".env").is_file())
        for path in islice(found, 1):
            with reading_file():
                parse_environment_config({}, cls._env_var_prefix, path)
        return settings_from(os.environ, cls._env_var_prefix, schema)

    def active_sources(self) -> tuple[Source, ...]:
        """The sources that the settings turn on; discovery without settings shows none's reports."""
        return tuple(
            source
            for source in all_sources()
            if source.is_on(self.config) and all(self.config.get(name) for name in source.required)
        )

    # -- streams ---------------------------------------------------------------------------------------

    def discover_streams(self) -> list[Stream]:
        """All streams of the settings; asks no vendor."""
        return [*core_streams(self), *row_streams(self, self.active_sources())]

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams in the order of the sync: what others hang on comes first."""
        if self._streams is None:
            found = super().streams
            self._streams = dict(sorted(found.items(), key=lambda item: (sync_rank(item[1]), item[0])))
        return self._streams

    def ignored_settings(self) -> list[str]:
        """The given settings that do not exist, and report types that look misspelt, one line each."""
        return [
            *unknown(self.config, self.config_jsonschema),
            *unknown_types(self.config, self.active_sources()),
            *unused_settings(self.config, self.active_sources()),
        ]

    # -- the sync --------------------------------------------------------------------------------------

    @cached_property
    def summary(self) -> Summary:
        """What the closing lines of this sync tell."""
        return Summary()

    @cached_property
    def _counting_clock(self) -> CountingClock:
        return CountingClock(self.clock)

    @cached_property
    def progress(self) -> Progress:
        """Hears how far this sync is."""
        from tap_billing_reports.singer.console.progress import Progress

        return Progress(self._counting_clock, self.summary.records)

    @cached_property
    def session(self) -> Session:
        """This sync's shared state. Needs valid settings."""
        from tap_billing_reports.singer.session import Session

        return Session(
            settings=Settings.of(self.config),
            sources=self.active_sources(),
            clock=self._counting_clock,
            limits=self.limits,
            write_state=self._write_state,
            summary=self.summary,
            listener=self.progress,
            invoices_bookmark=lambda: self.state.setdefault("bookmarks", {}).setdefault("invoices", {}),
        )

    def before_each_state(self, write: Callable[[], None]) -> None:
        """`write` is called before each STATE goes out: what is kept apart until then goes into its bookmark."""
        self._line_states.parts.append(write)

    def _write_state(self) -> int:
        """Send STATE if it has changed; how many bytes that were."""
        before = self._line_states.sent
        self._line_states.write_state(self.state)
        return self._line_states.sent - before

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """The report lifecycle of this sync."""
        from tap_billing_reports.singer.lifecycle import Lifecycle

        return Lifecycle(self)

    def load_state(self, state: dict[str, Any]) -> None:
        """Take a STATE over, or refuse it before any STATE goes out.

        Raises:
            StateError: it is foreign, cut, or written by a newer version.
        """
        check_whole_state(state, all_sources())
        super().load_state(state)

    # -- a run -----------------------------------------------------------------------------------------

    def run_connection_test(self) -> bool:  # type: ignore[misc]
        """One record of each stream. The SDK's own passes whatever an account or a report refuses.

        Raises:
            AccountError: something was refused; what it was has been logged.
        """
        super().run_connection_test()
        if self.summary.failures:
            raise AccountError(f"the test failed: {len(self.summary.failures)} failures, see above")
        return True

    def run(self) -> int:
        """Sync all streams and return the exit status: 0 only if nothing failed."""
        from tap_billing_reports.singer.console.closing_lines import closing

        self.logger.info("tap-billing-reports %s", __version__)
        started, summary = self._counting_clock.monotonic(), self.summary
        try:
            with self.progress.shown():
                self._sync()
        except FirstFailure:
            pass
        except BillingError as error:
            summary.failed(Failure.of(error).redacted())
        except BaseException as error:
            # A signal, a target that is gone, a fault of ours: it goes on its way, after what was done till then.
            summary.failed(Failure(f"ended early by {_cause(error)}"))
            raise
        finally:
            took = self._counting_clock.monotonic() - started
            with self.uninterrupted():
                for level, line in closing(summary, self.progress.board, waited=self._counting_clock.waited, took=took):
                    self.logger.log(level, "%s", line)
        return 1 if summary.failures else 0

    def _sync(self) -> None:
        from tap_billing_reports.singer.selection import check_selection, forsaken_runs, skipped_reports

        try:
            with self.last_words():
                check_selection(self)
                self.session.begin()
                self.session.hold_realms(self.state.get("bookmarks", {}), record=True)
                self.lifecycle.check_identities()
                self.summary.notes |= dict.fromkeys(
                    [*self.ignored_settings(), *skipped_reports(self), *forsaken_runs(self)]
                )
                self.sync_all()
        finally:
            with self.uninterrupted():
                self.session.close()


def _cause(error: BaseException) -> str:
    """What ended a sync, in words for its reader: a signal's name, or that of an exception."""
    if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > SIGNALLED:
        return signal.Signals(error.code - SIGNALLED).name
    name = type(error).__name__
    return f"{name}: the target reads no more" if isinstance(error, BrokenPipeError) else name
