"""Canary secrets: given to every secret setting in every way, echoed by the vendors, and looked for everywhere."""

from __future__ import annotations

import base64
import json
import logging
import os
import stat
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from singer_sdk.exceptions import ConfigValidationError

from tap_billing_reports.config.settings import all_settings
from tap_billing_reports.core.errors import BillingError
from tap_billing_reports.singer.tap import TapBillingReports
from tap_billing_reports.vendors import all_sources
from tests.faults.bench import STORAGE_SECRET, Bench
from tests.faults.canaries import count, outermost, spellings, traces
from tests.faults.cases import Case, Verdict
from tests.faults.vendors import ALL
from tests.faults.worlds import ORDERED, WORLDS, World
from tests.running import _Lines, run_tap
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-Key/+=%41&é-0123456789"
SECRETS = {setting.name for setting in all_settings(all_sources()) if setting.secret}
PREFIX = "TAP_BILLING_REPORTS_"


def cases(stack: ExitStack) -> list[Case]:
    """All cells, of each world in turn."""
    benches, found = _Benches(stack), []
    for world in WORLDS:
        on = partial(benches.case, world)
        found += [on(world.cell(f"the command: {name}"), command, name) for name in COMMANDS]
        found.append(on(world.cell("files on their way are for this user's eyes"), private_files))
        for vendor in world.vendors:
            for place_of_key, key in enumerate(ALL[vendor].keys):
                its = f"its {key}" if place_of_key else "its key"
                found += [
                    on(f"{vendor} echoes {its} {how} {place}", echo, vendor, key, how, place)
                    for how in SPELLINGS
                    for place in PLACES
                ]
    for setting in all_settings(all_sources()):
        owner = next((world for world in WORLDS if setting.name.partition("_")[0] in world.vendors), ORDERED)
        on = partial(benches.case, owner)
        for how, value in WRONG.items():
            if setting.secret or how != "as it should be":
                found.append(on(f"setting {setting.name}: {how}", wrong, setting.name, value))
            found.append(
                on(f"variable {setting.name}: {how}", variable, setting.name, value)
                if setting.secret
                else Case(f"variable {setting.name}: {how}", why_not="holds no secret, and its type is checked above")
            )
    on = partial(benches.case, ORDERED)
    return [*found, *(on(f"storage_url {url.partition(':')[0]}", wrong, "storage_url", url) for url in STORES)]


class _Benches:
    """A bench for each world, opened when a cell of its is first run."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._opened: dict[World, Bench] = {}

    def case(self, world: World, name: str, run: Callable[..., None], *more: Any) -> Case:
        """A cell that runs on a world's bench."""
        return Case(name, lambda verdict: run(self._of(world), *more, verdict))

    def _of(self, world: World) -> Bench:
        if world not in self._opened:
            bench = Bench(self._stack.enter_context(world.sandbox()), world)
            self._stack.callback(bench.close)
            self._opened[world] = bench
        return self._opened[world]


# -- the commands --------------------------------------------------------------------------------------

TAP = "tap_billing_reports"
PEOPLE = "tap_billing_reports.cli.main"
COMMANDS: dict[str, tuple[str, str]] = {
    "a sync": (TAP, "--config config.json"),
    "a sync that keeps files": (TAP, "--config stored.json"),
    "settings from the environment": (TAP, "--config=ENV"),
    "about": (TAP, "--about --format=json --config config.json"),
    "about as markdown": (TAP, "--about --format=markdown --config config.json"),
    "about with the environment": (TAP, "--about --format=json --config=ENV"),
    "discover": (TAP, "--config config.json --discover"),
    "test": (TAP, "--config config.json --test"),
    "check": (PEOPLE, "check --config config.json"),
    "plan": (PEOPLE, "plan --config config.json"),
    "a wrong key": (TAP, "--config wrong.json"),
    "a check with a wrong key": (PEOPLE, "check --config wrong.json"),
    "a setting that is missing": (TAP, "--config missing.json"),
    "a file that is no JSON": (TAP, "--config broken.json"),
    "a state that is none": (TAP, "--config config.json --state broken.json"),
    "a catalogue that is none": (TAP, "--config config.json --catalog broken.json"),
}


def command(bench: Bench, name: str, verdict: Verdict) -> None:
    """A real process at DEBUG: all that it writes, and every file that it leaves."""
    bench.reset()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        made = folder / "made"
        made.mkdir()
        stored = {"storage_url": str(made / "kept"), "storage_options": {"unused": STORAGE_SECRET}}
        vendors = bench.world.vendors
        wrong = {ALL[vendor].keys[0]: f"{CANARY}-{vendor}" for vendor in vendors}
        files = {
            "config": bench.config,
            "stored": {**bench.config, **stored},
            "wrong": {**bench.config, **wrong},
            "missing": {k: v for k, v in bench.config.items() if k not in {"bring_api_uid", "vipps_client_id"}},
        }
        for file, config in files.items():
            (folder / f"{file}.json").write_text(json.dumps(config))
        (folder / "broken.json").write_text(json.dumps({**bench.config, "state": CANARY})[:-9])
        settings = {
            PREFIX + key.upper(): value if isinstance(value, str) else json.dumps(value)
            for key, value in {**bench.config, **stored}.items()
        }
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(made),
            "LOGLEVEL": "DEBUG",
            "TAP_BILLING_REPORTS_LOGLEVEL": "DEBUG",
            **(settings if "ENV" in COMMANDS[name][1] else {}),
        }
        module, arguments = COMMANDS[name]
        run = subprocess.run(
            [sys.executable, "-m", module, *arguments.split()],
            capture_output=True, env=environment, cwd=folder, check=False, timeout=HANG_SECONDS,
        )  # fmt: skip
        verdict.ended = f"exit {run.returncode}"
        said = run.stdout.decode() + run.stderr.decode()
        if not said.strip():
            verdict.remarks.append("it said nothing at all")
        verdict.leaked += bench.canaries.count(said) + _count(said) + bench.canaries.count_files(made)
        if "Traceback" in said:
            verdict.remarks.append(f"a traceback: {said[-600:]}")


def private_files(bench: Bench, verdict: Verdict) -> None:
    """No other user may look into the folder that files come down to, and it is gone afterwards."""
    bench.reset()
    seen: dict[Path, int] = {}

    def prepare(tap: TapBillingReports) -> None:
        beat = tap.session.beat

        def looking() -> None:
            folder = tap.session.folder
            seen[folder] = stat.S_IMODE(folder.stat().st_mode)
            beat()

        tap.session.beat = looking  # type: ignore[method-assign]

    result = bench.sync(prepare=prepare)
    verdict.ended = f"exit {result.status}, modes {[oct(mode) for mode in seen.values()]}"
    if list(seen.values()) != [0o700]:
        verdict.remarks.append("the folder is not private")
    if any(folder.exists() for folder in seen):
        verdict.remarks.append("the folder was left behind")
    bench.judge_whole(verdict, result)


# -- vendors that tell ---------------------------------------------------------------------------------


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "URL-encoded": lambda key: quote(key, safe=""),
    "in Base64": lambda key: base64.b64encode(key.encode()).decode(),
    "as Basic": lambda key: base64.b64encode(f"{key}:".encode()).decode(),
}
PLACES = ("in an error", "in a page", "in a redirect", "in its answer", "as a header")


def echo(bench: Bench, vendor: str, key: str, how: str, place: str, verdict: Verdict) -> None:
    """The vendor's answers hold the key that it was sent."""
    bench.reset()
    text = SPELLINGS[how](bench.config[key])
    is_stripes = vendor in ORDERED.vendors
    stripes = {"error": {"message": f"Invalid key: {text}", "code": text, "type": text}}
    error = stripes if is_stripes else ALL[vendor].envelope(f"Invalid key: {text}")
    does: dict[str, dict[str, Any]] = {
        "in an error": {"status": 401, "body": error},
        "in a page": {"status": 500, "body": f"<html>your key {text} is wrong</html>"},
        "in a redirect": {"redirect": f"{bench.box.urls['foreign']}/login?key={text}"},
        "in its answer": {"status": 200, "body": f'{{"broken {text}": [<'},
        "as a header": {"status": 503, "headers": {"Retry-After": text, "X-Key": text}, "body": ""},
    }
    bench.control.fault(does[place], {"vendor": vendor})
    result = bench.sync()
    verdict.ended = f"exit {result.status}"
    if result.status == 0:
        verdict.silent = 1
    bench.control.clear_faults()
    bench.judge_leaks(verdict, result)


# -- settings that are wrong ---------------------------------------------------------------------------

WRONG: dict[str, Any] = {
    "as it should be": CANARY,
    "a list": [CANARY],
    "an object": {"key": CANARY},
    "an object with the secret as its key": {CANARY: 1},
    "with a line break": f"{CANARY}\n",
    "with a blank": f" {CANARY}",
    "nested": [{"name": CANARY, "report_type": {"x": CANARY}}],
}
STORES = (
    f"s3://user:{quote(CANARY, safe='')}@bucket/x",
    f"ftp://user:{quote(CANARY, safe='')}@127.0.0.1:1/x",
    f"sftp://user:{quote(CANARY, safe='')}@127.0.0.1:1/x",
    f"https://user:{quote(CANARY, safe='')}@127.0.0.1:1/x",
    f"unknown://user:{quote(CANARY, safe='')}@host/x",
    f"/dev/null/{CANARY}",
)


def wrong(bench: Bench, name: str, value: Any, verdict: Verdict) -> None:
    """The setting has this value: nothing that is said, logged or raised holds it."""
    bench.reset()
    config = {**bench.config, name: value}
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    handler = _Lines()
    root.addHandler(handler)
    said = ""
    try:
        result = run_tap(config, clock=bench.clock)
        verdict.ended = f"exit {result.status}"
        # What is no secret may stand where it belongs: in records and STATE.
        said = result.log
    except ConfigValidationError as error:
        verdict.ended = f"refused: {len(error.errors)} lines"
        said = f"{error} {error.errors} {error!r} {error.__cause__!r} {error.__context__!r}"
    except BillingError as error:
        verdict.ended = f"refused: {type(error).__name__}"
        said = f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    secret = name in SECRETS or "@" in str(value)
    text = said + "\n".join(handler.lines)
    if secret or verdict.ended.startswith("refused"):
        verdict.leaked += _count(text)
    verdict.leaked += bench.canaries.count(text)


def variable(bench: Bench, name: str, value: Any, verdict: Verdict) -> None:
    """The same by an environment variable."""
    text = value if isinstance(value, str) else json.dumps(value)
    variables = {
        PREFIX + key.upper(): inner if isinstance(inner, str) else json.dumps(inner)
        for key, inner in bench.config.items()
    }
    variables[PREFIX + name.upper()] = text
    bench.reset()
    before = dict(os.environ)
    os.environ.update(variables)
    root = logging.getLogger()
    handler = _Lines()
    root.addHandler(handler)
    said = ""
    try:
        tap = TapBillingReports(parse_env_config=True)
        tap.clock = bench.clock
        verdict.ended = "taken"
        said = json.dumps(tap.catalog_dict)
    except ConfigValidationError as error:
        verdict.ended = f"refused: {len(error.errors)} lines"
        said = f"{error} {error.errors} {error.__cause__!r} {error.__context__!r}"
    except BillingError as error:
        verdict.ended = f"refused: {type(error).__name__}"
        said = f"{error} {error.__cause__!r} {error.__context__!r}"
    finally:
        root.removeHandler(handler)
        os.environ.clear()
        os.environ.update(before)
    verdict.leaked += _count(said + "\n".join(handler.lines))


def _count(text: str) -> int:
    return count(text, outermost({*spellings(CANARY), *traces(CANARY)}))
