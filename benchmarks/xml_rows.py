"""XML lines, read, converted and written: against lxml doing nothing but parsing them."""

from __future__ import annotations

import time

from lxml import etree

from benchmarks import data
from benchmarks.measure import emitted, rate, ratio

ROWS = 100_000


def _bare(path):
    started = time.process_time()
    for _, element in etree.iterparse(path, tag="{*}Line"):
        element.clear()
    return ROWS / (time.process_time() - started)


def measure():
    sample = data.lines(ROWS)
    to_bare, ours, bare = ratio(lambda: rate(emitted("fast", sample)), lambda: _bare(str(sample.path)))
    return {
        "xml.ratio_to_iterparse": to_bare,
        "xml.rows_per_second": ours,
        "xml.iterparse_rows_per_second": bare,
    }
