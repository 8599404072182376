"""The command `tap-billing-reports`: its options, its files and its errors, one line each."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

import click
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError, MapExpressionError, StreamMapConfigError
from singer_sdk.singerlib import Catalog
from singer_sdk.tap_base import CliTestOptionValue

from tap_billing_reports.core import redaction
from tap_billing_reports.core.errors import BillingError, ConfigError, StateError
from tap_billing_reports.core.failure import Failure
from tap_billing_reports.core.json_files import object_at, object_in
from tap_billing_reports.singer.termination import DeferredTermination
from tap_billing_reports.singer.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from tap_billing_reports.singer.console.progress import Progress
    from tap_billing_reports.singer.outcome import Summary
    from tap_billing_reports.singer.writer import BufferedWriter

logger = logging.getLogger("tap-billing-reports")


class TapCommand(DeferredTermination):
    """A tap as a command. The SDK's own options show what stands in files, and a traceback for each error."""

    def run(self) -> int:
        """Sync all streams and return the exit status: 0 only if nothing failed."""
        raise NotImplementedError

    @property
    def summary(self) -> Summary:
        """What the closing lines of this sync tell."""
        raise NotImplementedError

    @property
    def progress(self) -> Progress:
        """Hears how far this sync is."""
        raise NotImplementedError

    @classmethod
    def in_environment(cls) -> dict[str, Any]:
        """The settings that the environment and .env hold; none of them is validated."""
        found: dict[str, Any] = cls._env_var_config
        return found

    @classmethod
    def get_singer_command(cls) -> click.Command:
        """The command line, with --summary."""
        command = super().get_singer_command()
        help_text = "Write what came of the sync here, as one JSON object; also of one that failed."
        option = click.Option(["--summary"], type=click.Path(dir_okay=False), metavar="FILE", help=help_text)
        command.params.append(option)
        return command

    @classmethod
    def cb_config(cls, ctx: Any, param: Any, value: tuple[str, ...]) -> Any:  # noqa: ARG003 - the SDK's signature
        """The settings' files, which are read when the other options are known: --summary is told what is wrong."""
        return value

    @classmethod
    def as_given(cls, config: tuple[str, ...]) -> dict[str, Any]:
        """The settings that `--config` names, as far as they can be read; none of them is validated."""
        found: dict[str, Any] = {}
        for path in config:
            with suppress(BillingError):
                found |= cls.in_environment() if path == "ENV" else object_at(path, "--config", ConfigError)
        return found

    @classmethod
    def _settings_of(cls, value: tuple[str, ...]) -> Any:
        """What `--config` names, as the SDK has it."""
        files = [path for path in value if path != "ENV"]
        # The SDK reads none of the files: its errors show what stands in them.
        environment = ("ENV",) if "ENV" in value else ()
        given = super().cb_config(None, None, environment)  # type: ignore[arg-type]
        for path in files:
            given.config.update(object_at(path, "--config", ConfigError))
        return given

    @classmethod
    def opened(
        cls,
        config: tuple[str, ...],
        *,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        writer: BufferedWriter | None = None,
    ) -> Self:
        """The tap for another command than its own.

        Args:
            config: as `--config`, at least one.
            state: as `--state`.
            catalog: as `--catalog`.
            writer: takes the messages; None for stdout.

        Raises:
            ConfigError, StateError: one line for each problem.
        """
        given = cls._settings_of(config)
        try:
            return cls(
                config=given.config,
                parse_env_config=given.parse_env,
                state=_object_in(state, StateError, "--state"),
                catalog=_catalog_in(catalog),
                message_writer=writer,
            )
        except ConfigValidationError as error:
            raise ConfigError("\n".join(map(redaction.sentence, error.errors))) from None

    @classmethod
    def cb_discover(cls, ctx: Any, param: Any, value: bool) -> None:
        """`--discover`."""
        with _one_line_errors():
            if value:
                ctx.params["config"] = cls._settings_of(ctx.params["config"])
            super().cb_discover(ctx, param, value)

    @classmethod
    def cb_test(cls, ctx: Any, param: Any, value: str) -> None:
        """`--test`."""
        with _one_line_errors():
            if value != CliTestOptionValue.Disabled.value:
                ctx.params["config"] = cls._settings_of(ctx.params["config"])
            super().cb_test(ctx, param, value)

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: tuple[str, ...] = (),
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
        summary: str | None = None,
    ) -> None:
        """The command: sync everything, then exit 1 if anything failed."""
        super(Tap, cls).invoke(about=about, about_format=about_format)
        watch = Watch("tap", summary, lambda: cls.as_given(config))
        with _one_line_errors(watch):
            watch.check()
            given = cls._settings_of(config)
            tap = cls(
                config=given.config,
                parse_env_config=given.parse_env,
                state=_object_in(state, StateError, "--state"),
                catalog=_catalog_in(catalog),
            )
        with watch.over(tap):
            status = tap.run()
        watch.ended(status)
        sys.exit(status)


def _object_in(file: IO[str] | None, error: type[BillingError], option: str) -> dict[str, Any] | None:
    return None if file is None else object_in(file, option, error)


def _catalog_in(file: IO[str] | None) -> dict[str, Any] | None:
    """The catalogue in a file, as the SDK can read it; whether it fits the settings is seen when a sync begins."""
    found = _object_in(file, ConfigError, "--catalog")
    try:
        if found is not None and not isinstance(found["streams"], list):
            raise TypeError
        Catalog.from_dict(found or {})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError(
            "--catalog: the file holds no catalogue, which is an object with a list `streams`: make one with --discover"
        ) from None
    return found


@contextmanager
def _one_line_errors(watch: Watch | None = None) -> Iterator[None]:
    """What a person can mend is one line each, without a traceback, and exit status 1; `watch` is told."""
    redaction.install()
    try:
        yield
    except ConfigValidationError as error:
        lines = error.errors
    except BillingError as error:
        lines = [str(error)]
    except (MapExpressionError, StreamMapConfigError) as error:
        lines = [f"setting stream_maps: {error}"]
    else:
        return
    for line in lines:
        logger.error("%s", redaction.sentence(line))
    if watch is not None:
        watch.ended(1, map(Failure, lines))
    sys.exit(1)
