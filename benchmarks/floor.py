"""The floor: the same conversions, checks and lines with bare csv and msgspec, nothing else. Usage as taps.py."""
# ruff: noqa: E401, I001, PTH123, SIM115, N806

import csv, json, re, sys, time
from collections import defaultdict
from datetime import date, datetime, timezone
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

CONSTANTS = {"source": "stripe", "account_id": "acct_1032D82eZvKYlo2C", "report_name": "balance"}
CONSTANTS |= {"period": "2026-01-01T08:00:00Z", "window_end": "2026-02-01T08:00:00Z"}
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


class Memo(dict):
    def __missing__(self, text):
        return self.setdefault(text, self.work_out(text))


def instants(zone):  # hours in which the clock changes are not told apart here
    hours = Memo()
    hours.work_out = lambda hour: (
        f"{datetime.fromisoformat(hour).replace(tzinfo=zone).astimezone(timezone.utc):%Y-%m-%dT%H}"
    )
    return lambda cells: [hours[cell[:13]] + TAILS[cell[13:]] if cell else None for cell in cells]


def main(path, types, zone):
    dates = Memo()
    dates.work_out = lambda text: date.fromisoformat(text).isoformat() if text else None
    convert = defaultdict(lambda: lambda cells: [cell or None for cell in cells])
    convert["integer"] = lambda cells: [int(c) if c else None for c in checked(cells, INTEGERS)]
    convert["decimal"] = lambda cells: [cell or None for cell in checked(cells, DECIMALS)]
    convert["boolean"] = lambda cells: [BOOLEANS[cell] for cell in cells]
    convert["date"] = lambda cells: list(map(dates.__getitem__, cells))
    convert |= {"timestamp": instants(ZoneInfo(zone)), "timestamp_utc": instants(timezone.utc)}
    reader = csv.reader(open(path, encoding="utf-8-sig", newline=""), strict=True)
    functions = [convert[types[header]] for header in next(reader)]
    fields = ["row_number", *(re.sub(r"\W", "_", name) for name in types)]
    Row = msgspec.defstruct("Row", fields + [(name, str, value) for name, value in CONSTANTS.items()], gc=False)
    encode_lines = msgspec.json.Encoder().encode_lines
    head = b'{"type":"RECORD","stream":"stripe_balance","record":'
    count, started = 0, time.process_time()
    while rows := list(islice(reader, 150)):
        columns = zip(*rows, strict=True)
        values = [function(cells) for function, cells in zip(functions, columns, strict=True)]
        body = encode_lines(list(map(Row, range(count + 1, count + 1 + len(rows)), *values)))
        tail = b',"time_extracted":"%s"}\n' % datetime.now(timezone.utc).isoformat().encode()
        sys.stdout.buffer.write(head + body[:-1].replace(b"\n", tail + head) + tail)
        count += len(rows)
    json.dump({"rows": count, "seconds": time.process_time() - started}, sys.stderr)


main(sys.argv[2], json.loads(sys.argv[3]), sys.argv[4])
