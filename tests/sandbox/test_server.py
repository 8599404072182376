"""The sandbox as a process, and the limits of what it may depend on."""

from __future__ import annotations

import ast
import csv
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

import tap_billing_reports.sandbox
from tap_billing_reports.sandbox.core import Sandbox
from tests.typed import some
from tests.waiting import HANG_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(tap_billing_reports.sandbox.__file__).parent
SERVE = "import json,sys; from tap_billing_reports.sandbox.server import serve; serve(**json.loads(sys.argv[1]))"


def free_ports(count: int) -> int:
    """The first of `count` ports that are free in a row."""
    for base in range(20_000, 30_000, count):
        try:
            held = [socket.create_server(("127.0.0.1", base + number)) for number in range(count)]
        except OSError:
            continue
        for found in held:
            found.close()
        return base
    pytest.fail("no free ports")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_says_when_it_is_ready_and_stops_when_asked(tmp_path, number):
    ready, base = tmp_path / "ready.json", free_ports(4)
    given = {
        "port_base": base,
        "ready_file": str(ready),
        "vendors": ["stripe"],
        "options": {"stripe_run_seconds": 9},
    }
    child = subprocess.Popen([sys.executable, "-c", SERVE, json.dumps(given)], stdout=subprocess.PIPE, text=True)
    try:
        line = some(child.stdout).readline()
        found = json.loads(ready.read_text())
        assert line == f"sandbox ready, control at http://127.0.0.1:{base}\n"
        assert found["pid"] == child.pid
        assert found["urls"]["stripe_files"] == found["settings"]["stripe_files_url"] == f"http://127.0.0.1:{base + 3}"
        assert requests.get(found["urls"]["control"] + "/options", timeout=HANG_SECONDS).json() == {
            "stripe_run_seconds": 9
        }
        child.send_signal(number)
        output, _ = child.communicate(timeout=HANG_SECONDS)
    finally:
        child.kill()
        child.wait()
    assert (child.returncode, output) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]


def test_the_settings_as_variables_for_a_shell(tmp_path):
    variables = tmp_path / "sandbox.env"
    given = {"env_file": str(variables), "vendors": ["stripe"]}
    child = subprocess.Popen([sys.executable, "-c", SERVE, json.dumps(given)], stdout=subprocess.PIPE, text=True)
    try:
        line = some(child.stdout).readline()
        show = f"set -e; . {variables}; {sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
        found = json.loads(subprocess.run(["sh", "-c", show], capture_output=True, check=True).stdout)
    finally:
        child.kill()
        child.communicate()
    assert line == f"sandbox ready, control at {found['SANDBOX_CONTROL']}\n"
    assert found["TAP_BILLING_REPORTS_STRIPE_API_URL"].startswith("http://127.0.0.1:")
    accounts = json.loads(found["TAP_BILLING_REPORTS_STRIPE_CONNECTED_ACCOUNTS"])
    assert accounts == ["acct_sandbox_north", "acct_sandbox_east"]


def test_the_orders_of_a_shop_as_a_file(tmp_path):
    orders = tmp_path / "orders.csv"
    given = {"orders_file": str(orders), "vendors": ["bring"]}
    child = subprocess.Popen([sys.executable, "-c", SERVE, json.dumps(given)], stdout=subprocess.PIPE, text=True)
    try:
        control = some(child.stdout).readline().split()[-1]
        told = requests.get(f"{control}/orders", timeout=HANG_SECONDS).json()
    finally:
        child.kill()
        child.communicate()
    with orders.open(newline="") as file:
        assert list(csv.DictReader(file)) == told
    assert len(told) > 10


def test_a_taken_port_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Sandbox(vendors=("stripe",), port_base=taken.getsockname()[1] - 1)


def test_an_unknown_vendor_is_refused():
    with pytest.raises(ValueError, match="no vendor"):
        Sandbox(vendors=("paypal",))


def test_a_stalled_client_does_not_keep_it_running():
    with Sandbox(vendors=()) as sandbox:
        sandbox.control.fault({"stall": True})
        host, port = sandbox.urls["foreign"].removeprefix("http://").split(":")
        client = socket.create_connection((host, int(port)), timeout=HANG_SECONDS)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        until(sandbox.control.requests)
    assert not sandbox._thread.is_alive()
    client.close()


def test_it_imports_nothing_from_the_tap_but_its_version():
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names if name.name.startswith("tap_billing_reports")}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                if node.module == "tap_billing_reports":
                    found |= {f"tap_billing_reports.{name.name}" for name in node.names}
                elif node.module.startswith("tap_billing_reports."):
                    found.add(node.module)
            elif isinstance(node, ast.ImportFrom) and node.level:
                depth = len(path.relative_to(ROOT).parts)
                assert node.level <= depth, f"{path} reaches out of the sandbox"
    assert {name for name in found if not name.startswith("tap_billing_reports.sandbox")} <= {
        "tap_billing_reports.__version__"
    }


class KnownLater(set[Any]):
    """Connections of which the first looks see nothing, as when a client connects while the server ends."""

    looks = 2

    def __iter__(self) -> Iterator[Any]:
        if self.looks:
            self.looks -= 1
            return iter(())
        return super().__iter__()


@pytest.mark.parametrize("connections", [set, KnownLater])
def test_it_ends_while_a_client_stays_connected(connections):
    """On Python 3.12 and later the end of a server waits for its clients, also for one that it does not know yet."""
    sandbox = Sandbox(vendors=("stripe",))
    sandbox.start()
    url = next(iter(sandbox.urls.values()))
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
        client.sendall(b"GET /v1/reporting/report_types HTTP/1.1\r\nHost: sandbox\r\n\r\n")
        assert client.recv(1)
        state = sandbox._server.server_state
        state.connections = connections(state.connections)
        # It would give up waiting for its thread: what counts is that this has ended, however long it took.
        sandbox.stop()
        assert not sandbox._thread.is_alive()
