"""Report files into rows, beside what others do with the same file; and memory, by the size of the file."""

from __future__ import annotations

import shutil
import time
from functools import partial

from lxml import etree

from benchmarks import data
from benchmarks.measure import against, rate, ratio, told
from benchmarks.taps import xml_reader

XML_ROWS = 100_000
SIZES = {"100mb": 100, "1gb": 1024, "5gb": 5120}  # MiB


def csv_rows():
    """Ours against the SDK's own path, and against the floor."""
    # The SDK's path gets fewer rows: its rate does not depend on them, and it would take minutes.
    samples = {
        "csv.": (data.narrow(500_000), data.narrow(50_000)),
        "csv_wide.": (data.wide(100_000), data.wide(10_000)),
    }
    found = {}
    for prefix, (sample, few) in samples.items():
        ours = partial(rate, "taps", "fast", sample)
        found |= against(prefix, "floor", ours, partial(rate, "floor", "floor", sample))
        found |= against(prefix, "sdk", ours, partial(rate, "taps", "stock", few))
    return found


def xml_rows():
    """XML lines into typed rows, against lxml doing nothing but parsing them; and the whole way to RECORDs."""
    sample = data.lines(XML_ROWS)

    def bare():
        started, rows = time.process_time(), 0
        for _, element in etree.iterparse(str(sample.path), tag="{*}Line"):
            element.clear()
            rows += 1
        return rows / (time.process_time() - started)

    def read():
        reader, started = xml_reader(sample), time.process_time()
        return sum(len(chunk.rows) for chunk in reader.chunks()) / (time.process_time() - started)

    read_to_bare, read_only, parsed = ratio(read, bare)
    sent_to_bare, sent, _ = ratio(partial(rate, "taps", "fast", sample), bare)
    return {
        "xml.ratio_to_iterparse": read_to_bare,
        "xml.emitted_ratio_to_iterparse": sent_to_bare,
        "xml.read_rows_per_second": read_only,
        "xml.rows_per_second": sent,
        "xml.iterparse_rows_per_second": parsed,
    }


def bulk():
    """The bulk lane against a bare pyarrow: the same file with the same types into Parquet.

    The lane is the whole way of a sync whose rows are deselected: from the downloaded file, by all checks, to the file
    in the storage, with the keys and constants of every row and the sums that a summary is held against.
    """
    found = {}
    # Some seconds each: in shorter ones it is the kernel's work on new memory that differs.
    for prefix, sample in {"bulk.": data.narrow(2_000_000), "bulk.wide_": data.wide(300_000)}.items():
        found |= against(
            prefix, "pyarrow", partial(rate, "lanes", "lane", sample), partial(rate, "lanes", "bare", sample)
        )
    return found | _peaks("bulk.rss_mib", ("100mb", "1gb"), "lanes", "lane")


def rss():
    """Peak memory of a sync, by the size of the report."""
    return _peaks("rss_mib", SIZES, "taps", "fast")


def _peaks(prefix, sizes, program, kind):
    """MiB of a program, by the size of a report; and the biggest by the smallest. Big files are removed again."""
    found = {}
    for size in sizes:
        mib = SIZES[size]
        data.FOLDER.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(data.FOLDER).free < (mib + 1024) << 20:
            raise RuntimeError(f"no room for a report of {mib} MiB under {data.FOLDER}")
        sample = data.narrow_of_size(mib)
        try:
            found[f"{prefix}.{size}"] = told(program, kind, sample)["rss_mib"]
        finally:
            if mib > 1000:
                sample.path.unlink()
    smallest, *_, biggest = found
    return found | {f"{biggest}_to_100mb": found[biggest] / found[smallest]}
