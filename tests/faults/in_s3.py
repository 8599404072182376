"""Run as a program, with s3fs and moto installed: what `part_names` does, in S3. Prints the verdict as JSON."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tap_billing_reports.core.clock import Clock
from tap_billing_reports.core.errors import SyncError
from tap_billing_reports.storage.files import Storage
from tap_billing_reports.storage.lock import Lock
from tests.faults.bench import compare, failures, held, opened
from tests.faults.cases import Verdict
from tests.faults.part_names import IDS, documents, hostile_ids, keep_all
from tests.faults.worlds import WORLDS
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "billing"
SECRET = "canary-s3-Secret/+=3"


@contextmanager
def s3_server() -> Iterator[dict[str, Any]]:
    """An empty S3 with one bucket; gives `storage_options`."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    program = Path(sys.executable).with_name("moto_server")
    with subprocess.Popen(
        [str(program), "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(600):
                try:
                    requests.put(f"{url}/{BUCKET}", timeout=HANG_SECONDS)
                    break
                except requests.ConnectionError:
                    time.sleep(0.1)
            yield {
                "key": "canary-s3-key-id",
                "secret": SECRET,
                "client_kwargs": {"endpoint_url": url, "region_name": "us-east-1"},
            }
        finally:
            server.terminate()


def objects(options: dict[str, Any]) -> list[str]:
    """All keys in all buckets."""
    storage = Storage(f"s3://{BUCKET}", options)
    storage._fs.invalidate_cache()
    return [path for bucket in storage._fs.ls("") for path in storage._fs.find(bucket)]


def check_inside(options: dict[str, Any], verdict: Verdict, count: int | None = None) -> None:
    found = objects(options)
    outside = [path for path in found if not path.startswith(f"{BUCKET}/a/kept/") or "/../" in path]
    verdict.ended += f" {len(found)} objects"
    if outside or (count is not None and len(found) != count):
        verdict.remarks.append(f"outside: {outside[:3]}; {len(found)} objects, {count} expected")


def names(options: dict[str, Any], verdict: Verdict) -> None:
    count = len(keep_all(Storage(f"s3://{BUCKET}/a/kept", options), verdict))
    check_inside(options, verdict, count)


def sync(options: dict[str, Any], verdict: Verdict) -> None:
    """Files are kept; a sync without STATE takes them from there, and orders nothing."""
    stored: dict[str, Any] = {"storage_url": f"s3://{BUCKET}/a/kept", "storage_options": options}
    for world in WORLDS:
        with ExitStack() as stack:
            bench = opened(stack, world)
            bench.reset()
            first = bench.sync(**stored)
            before = bench.orders()
            second = bench.sync(**stored)
            for result in (first, second):
                if result.status:
                    verdict.remarks.append(failures(result))
                compare(verdict, bench.whole, held(result))
                verdict.leaked += result.log.count(SECRET) + json.dumps(result.records).count(SECRET)
            if bench.orders() != before:
                verdict.remarks.append(f"ordered again: {bench.orders()}")
            bench.judge_leaks(verdict, first, second)
            kept = Storage(f"s3://{BUCKET}/a/kept", options)
            for path in objects(options):
                verdict.leaked += bench.canaries.count(path, kept._fs.cat_file(path).decode("latin-1"))
    check_inside(options, verdict)


def ids(options: dict[str, Any], verdict: Verdict) -> None:
    stored: dict[str, Any] = {"storage_url": f"s3://{BUCKET}/a/kept", "storage_options": options}
    for world in WORLDS:
        with ExitStack() as stack:
            bench = opened(stack, world)
            for text in IDS:
                bench.reset()
                hostile_ids(bench.control, text)
                verdict.ended += f" {bench.sync(**stored, **documents(bench)).status}"
    check_inside(options, verdict)


def lock(options: dict[str, Any], verdict: Verdict) -> None:
    """A second sync is refused while the first shows signs of life."""
    storage = Storage(f"s3://{BUCKET}/a/kept", options)
    first, second = (Lock(storage, Clock(), ["stripe acct_1"]) for _ in range(2))
    first.acquire()
    try:
        second.acquire()
    except SyncError as error:
        verdict.ended = f"refused: {error}"
    else:
        verdict.remarks.append("a second sync got the lock")
    first.release()
    second.acquire()
    second.release()


def main() -> None:
    for name in ("AWS_PROFILE", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ.pop(name, None)
    verdict = Verdict("")
    with s3_server() as options:
        {"names": names, "sync": sync, "ids": ids, "lock": lock}[sys.argv[1]](options, verdict)
    told = ("lost", "doubled", "leaked", "silent", "ended", "remarks")
    sys.stdout.write("\n" + json.dumps({name: getattr(verdict, name) for name in told}) + "\n")


if __name__ == "__main__":
    main()
