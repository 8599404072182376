"""The systemd units and the crontab: both run as their schedulers would run them, with next to no environment."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tap_billing_reports.sandbox.core import Sandbox

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "schedule"
FOLDER = "/srv/billing"
ROWS = "stripe_payouts_itemized_3"
# What cron gives a command, and systemd hardly more.
ENVIRONMENT = {"HOME": "/", "LOGNAME": "billing", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}


def unit(name):
    parsed = configparser.ConfigParser(interpolation=None, strict=True)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string((EXAMPLE / name).read_text())
    return parsed


@pytest.fixture
def folder(tmp_path):
    """What `/srv/billing` is on a machine: config.json, keys and JSON in .env, an environment with the command."""
    now = datetime.now(timezone.utc)
    with Sandbox(now=now - timedelta(days=1), vendors=("stripe",), stripe_run_seconds=0) as box:
        given = box.settings((now - timedelta(days=20)).date().isoformat())
        settings = {name: value for name, value in given.items() if not name.startswith(("bring_", "brp_"))}
        settings |= {"stripe_connected_accounts": [], "warehouse": "duckdb:warehouse.duckdb"}
        key = settings.pop("stripe_api_key")
        (tmp_path / "config.json").write_text(json.dumps(settings))
        reports = json.dumps([{"report_type": "payouts.itemized.3", "window": "week"}])
        (tmp_path / ".env").write_text(
            f"TAP_BILLING_REPORTS_STRIPE_API_KEY={key}\nTAP_BILLING_REPORTS_STRIPE_REPORTS='{reports}'\n"
        )
        programs = tmp_path / "venv" / "bin"
        programs.mkdir(parents=True)
        command = programs / "billing-reports"
        words = shlex.join([sys.executable, "-m", "tap_billing_reports.cli.main"])
        command.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {words} "$@"\n')
        command.chmod(0o755)
        yield tmp_path


def summary(folder):
    return json.loads((folder / "summary.json").read_text())


def cron(folder):
    """What cron does at the hour: the command to /bin/sh; what it prints is mailed."""
    (line,) = [line for line in (EXAMPLE / "crontab").read_text().splitlines() if re.match(r"[0-9*]", line)]
    command = line.split(maxsplit=5)[5]
    assert "%" not in command, "cron makes line ends of them"
    words = ["/bin/sh", "-c", command.replace(FOLDER, str(folder))]
    return subprocess.run(words, env=ENVIRONMENT, cwd="/", capture_output=True, text=True, check=False)


def test_cron_syncs_and_goes_on(folder):
    first = cron(folder)
    assert (first.stdout, first.stderr) == ("", ""), (folder / "sync.log").read_text()
    assert summary(folder)["exit_status"] == 0
    assert summary(folder)["loaded"][ROWS] > 0
    second = cron(folder)
    assert (second.stdout, second.stderr) == ("", "")
    assert ROWS not in summary(folder)["loaded"], "the weeks are done: STATE is in the warehouse"


def test_cron_mails_the_end_of_a_sync_that_failed(folder):
    (folder / ".env").write_text("TAP_BILLING_REPORTS_STRIPE_API_KEY=rk_test_of_nobody\n")
    mailed = cron(folder).stdout
    assert "failed: stripe account" in mailed
    assert "to do: " in mailed
    assert "rk_test_of_nobody" not in mailed
    assert summary(folder)["exit_status"] == 1


def test_systemds_service_does_the_same(folder):
    service = unit("billing-sync.service")["Service"]
    assert service["Type"] == "oneshot", "the timer does not start it while it runs"
    assert service["WorkingDirectory"] == service["ReadWritePaths"] == FOLDER
    program, *words = shlex.split(service["ExecStart"].replace(FOLDER, str(folder)))
    assert Path(program).is_absolute()
    done = subprocess.run(
        [program, *words], env=ENVIRONMENT, cwd=folder, capture_output=True, text=True, check=False, umask=0o077
    )
    assert done.returncode == 0, done.stderr
    assert summary(folder)["loaded"][ROWS] > 0


def test_the_timer_is_of_the_service_and_the_units_are_sound(folder):
    timer = unit("billing-sync.timer")
    assert timer["Timer"]["Persistent"] == "yes"
    assert timer["Install"]["WantedBy"] == "timers.target"
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d UTC", timer["Timer"]["OnCalendar"])
    # systemd's own word, where it is installed: an unknown directive or a wrong value is a line.
    if analyze := shutil.which("systemd-analyze"):
        copies = []
        for path in sorted(EXAMPLE.glob("billing-sync.*")):
            copy = folder / path.name
            copy.write_text(path.read_text().replace(FOLDER, str(folder)).replace("User=billing", "User=root"))
            copies.append(str(copy))
        verified = subprocess.run([analyze, "verify", *copies], capture_output=True, text=True, check=False)
        said = [line for line in verified.stderr.splitlines() if "billing-sync" in line]
        assert said == []
