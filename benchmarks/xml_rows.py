"""XML lines into typed rows, against lxml doing nothing but parsing them; and the whole way to RECORDs."""

from __future__ import annotations

import time

from lxml import etree

from benchmarks import data
from benchmarks.measure import emitted, rate, ratio
from benchmarks.taps import columns_of
from tap_billing_reports.reports.files.readers.xml import XmlReader
from tap_billing_reports.vendors.bring import XML

ROWS = 100_000


def _bare(path):
    started = time.process_time()
    for _, element in etree.iterparse(path, tag="{*}Line"):
        element.clear()
    return ROWS / (time.process_time() - started)


def _read(sample):
    by_header = {column.header: column for column in columns_of(sample.columns)}
    reader = XmlReader(
        sample.path, form=XML, resolve=lambda header: [by_header[name] for name in header], zone=sample.zone
    )
    started = time.process_time()
    rows = sum(len(chunk.rows) for chunk in reader.chunks())
    return rows / (time.process_time() - started)


def measure():
    sample = data.lines(ROWS)
    path = str(sample.path)
    read_to_bare, read, bare = ratio(lambda: _read(sample), lambda: _bare(path))
    sent_to_bare, sent, _ = ratio(lambda: rate(emitted("fast", sample)), lambda: _bare(path))
    return {
        "xml.ratio_to_iterparse": read_to_bare,
        "xml.emitted_ratio_to_iterparse": sent_to_bare,
        "xml.read_rows_per_second": read,
        "xml.rows_per_second": sent,
        "xml.iterparse_rows_per_second": bare,
    }
