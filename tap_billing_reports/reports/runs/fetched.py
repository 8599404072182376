"""Runs of reports that are there without an order: each reading of a period is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import ReportError
from tap_billing_reports.declare import PagedRows, ReadyFiles, RemoteFile, Run, RunStatus

if TYPE_CHECKING:
    from datetime import datetime

    from tap_billing_reports.reports.jobs import ReportJob


def run_of(job: ReportJob, retrieval: PagedRows | ReadyFiles, at: datetime) -> Run:
    """The reading of a period that begins at an instant; its id tells it apart from any other of the account.

    Raises:
        ReportError: the vendor's list names no file.
    """
    at = at.replace(microsecond=0)
    run_id = f"{job.report.name}.{job.key}.{utc_text(at)}".replace(":", "")
    if isinstance(retrieval, PagedRows):
        files = [RemoteFile(run_id, "ndjson", retrieval.endpoint.host, retrieval.endpoint.path)]
    else:
        files = [*retrieval.files(job.account, job.report, job.period)]
    if not files:
        raise ReportError("the vendor names no file of it", about=job.about)
    return Run(
        run_id,
        RunStatus.READY,
        source_status="",
        report_type=job.report.report_type,
        parameters=job.parameters,
        created_at=at,
        finished_at=at,
        file=files[0],
        further=tuple(files[1:]),
    )
