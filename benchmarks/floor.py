"""The floor: the same conversions, checks and lines with bare csv and msgspec, nothing else. Usage as taps.py."""

import csv
import json
import re
import sys
import time
from datetime import date, datetime, timezone
from functools import cache
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

CONSTANTS = {"source": "stripe", "account_id": "acct_1032D82eZvKYlo2C", "report_name": "balance"}
CONSTANTS |= {"period": "2026-01-01T08:00:00Z", "window_end": "2026-02-01T08:00:00Z"}
CONSTANTS |= {"period_start": "2026-01-01", "period_end": "2026-01-31", "period_zone": "America/Los_Angeles"}
CONSTANTS |= {"run_id": "frr_1PGzG72eZvKYlo2C5y1Q", "file_id": "file_1PGzGJ2eZvKYlo2C9c2T"}
BOOLEANS = {"true": True, "false": False, "": None}
TAILS = {f":{m:02d}:{s:02d}": f":{m:02d}:{s:02d}Z" for m in range(60) for s in range(60)}
DECIMALS = re.compile(r"(?:[+-]?[0-9]+(?:\.[0-9]+)?\n|\n)*").fullmatch
INTEGERS = re.compile(r"(?:-?(?:0|[1-9][0-9]*)\n|\n)*").fullmatch


def checked(cells, pattern):
    joined = "\n".join(cells) + "\n"
    if joined.count("\n") != len(cells) or not pattern(joined):
        raise ValueError(cells)
    return cells


def instants(zone):  # hours in which the clock changes are not told apart here
    utc = timezone.utc
    hour = cache(lambda t: f"{datetime.fromisoformat(t).replace(tzinfo=zone).astimezone(utc):%Y-%m-%dT%H}")
    return lambda cells: [hour(cell[:13]) + TAILS[cell[13:]] if cell else None for cell in cells]


path, types, zone = sys.argv[2], json.loads(sys.argv[3]), ZoneInfo(sys.argv[4])
day = cache(lambda text: date.fromisoformat(text).isoformat() if text else None)
convert = {
    "text": lambda cells: [cell or None for cell in cells],
    "currency": lambda cells: [cell.upper() or None for cell in cells],
    "integer": lambda cells: [int(cell) if cell else None for cell in checked(cells, INTEGERS)],
    "decimal": lambda cells: [cell or None for cell in checked(cells, DECIMALS)],
    "boolean": lambda cells: [BOOLEANS[cell] for cell in cells],
    "date": lambda cells: list(map(day, cells)),
} | {"timestamp": instants(zone), "timestamp_utc": instants(timezone.utc)}
reader = csv.reader(open(path, encoding="utf-8-sig", newline=""), strict=True)  # noqa: PTH123, SIM115
functions = [convert[types[header]] for header in next(reader)]
fields = ["row_number", *(re.sub(r"\W", "_", name) for name in types)]
Row = msgspec.defstruct("Row", fields + [(name, str, value) for name, value in CONSTANTS.items()], gc=False)
encode, head = msgspec.json.Encoder().encode_lines, b'{"type":"RECORD","stream":"stripe_balance","record":'
count, started = 0, time.process_time()
while rows := list(islice(reader, 150)):
    columns = [f(cells) for f, cells in zip(functions, zip(*rows, strict=True), strict=True)]
    body = encode(list(map(Row, range(count + 1, count + 1 + len(rows)), *columns)))
    tail = b',"time_extracted":"%s"}\n' % datetime.now(timezone.utc).isoformat().encode()
    sys.stdout.buffer.write(head + body[:-1].replace(b"\n", tail + head) + tail)
    count += len(rows)
json.dump({"rows": count, "seconds": time.process_time() - started}, sys.stderr)
