"""Which reader a report file has."""

# ruff: noqa: PLC0415 - what only a sync needs is imported where it is used: discovery needs little more than the SDK

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from tap_billing_reports.core.columns import DecimalsAs
    from tap_billing_reports.declare import Report, ReportApi
    from tap_billing_reports.reports.files.readers import Reader, Resolve
    from tap_billing_reports.reports.files.readers.tallies import Tally
    from tap_billing_reports.reports.jobs import LocalFile


def open_reader(
    file: LocalFile,
    api: ReportApi,
    report: Report,
    *,
    resolve: Resolve,
    sum_of: Collection[str],
    decimals_as: DecimalsAs,
    common: Mapping[str, Sequence[str]],
    judge: Callable[[Mapping[str, str]], None],
    tallies: Sequence[Tally],
) -> Reader:
    """The reader of a report's file.

    Args:
        file: on disk.
        api: says how the vendor's files are written.
        report: whose rows they are.
        resolve: says which header is which column.
        sum_of: names of the columns to add up.
        decimals_as: how amounts are given out.
        common: see `ReportApi.common_columns`.
        judge: refuses an XML file by what that says of itself, before its first row.
        tallies: are told the rows of CSV and NDJSON.

    Raises:
        FileError: the file is refused before its first row.
    """

    def reader_of(part: LocalFile, told: Sequence[Tally]) -> Reader:
        if part.remote.format == "csv":
            from tap_billing_reports.reports.files.readers.csv import CsvReader

            return CsvReader(
                part.plain,
                size=part.plain_size,
                resolve=resolve,
                zone=report.zone,
                sum_of=sum_of,
                decimals_as=decimals_as,
                tallies=told,
                form=api.csv(report),
            )
        if part.remote.format == "ndjson":
            from tap_billing_reports.reports.files.readers.ndjson import NdjsonReader

            return NdjsonReader(
                part.plain,
                size=part.plain_size,
                resolve=resolve,
                zone=report.zone,
                sum_of=sum_of,
                decimals_as=decimals_as,
                tallies=told,
                cells=api.cells(report),
            )
        from tap_billing_reports.reports.files.readers.xml import XmlReader

        form = api.xml
        if form is None:
            raise FileError(
                "it is XML, and the declaration does not say how that is built",
                remedy=f"declare xml=d.XmlForm(...) in the reports of {report.source}",
            )
        return XmlReader(
            part.plain,
            form=form,
            size=part.plain_size,
            resolve=resolve,
            zone=report.zone,
            sum_of=sum_of,
            decimals_as=decimals_as,
            common=common,
            judge=judge,
        )

    if not file.further:
        return reader_of(file, tallies)
    from tap_billing_reports.reports.files.readers.joined import Continued, JoinedReader

    further = [reader_of(part, [Continued(tally) for tally in tallies]) for part in file.further]
    return JoinedReader([reader_of(file, tallies), *further])
