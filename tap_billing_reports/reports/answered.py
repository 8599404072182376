"""Whether a run that the vendor describes is the one that was asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_billing_reports.core.errors import FileError, Misplaced, Outdated
from tap_billing_reports.core.redaction import sentence
from tap_billing_reports.declare import Ordered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_billing_reports.declare import Parameters, Run
    from tap_billing_reports.reports.jobs import ReportJob


def ordered_for(job: ReportJob) -> Ordered:
    """What the run of a period is ordered for."""
    return Ordered(job.report, job.parameters, tuple(dict.fromkeys((job.account.account_id, job.row_account))))


def check_file(job: ReportJob, metadata: Mapping[str, str]) -> None:
    """Hold what a file says of itself against what its run was ordered for.

    Raises:
        FileError: it is another run's.
    """
    objection = job.client.api.file_objection(ordered_for(job), metadata)
    if objection is not None:
        raise FileError(f"it is the answer to another question: {objection}")


def check_run(job: ReportJob, run: Run, run_id: str | None = None) -> None:
    """Hold the id, the type and the parameters of an answer against the question; what is not there is not looked at.

    `run` is as the vendor describes it, `run_id` the one that was asked about, None where it is new.

    Raises:
        Misplaced: it is another run.
        Outdated: it is the one that was asked about, ordered by an earlier version, which did not send a parameter that
            this one sends: its file may be another one than this version would read.
    """
    about = job.about
    if run_id is not None and run.run_id != run_id:
        raise Misplaced.of(about, f"it is run {run.run_id}, and {run_id} was asked")
    if run.report_type and run.report_type != job.report.report_type:
        raise Misplaced.of(
            about, f"run {run.run_id} is a {run.report_type}, and a {job.report.report_type} was ordered"
        )
    if run_id is not None and run.parameters:
        added = sorted(set(job.parameters) - set(run.parameters))
        same = {name: value for name, value in _plain(job.parameters).items() if name in run.parameters}
        if added and _plain(run.parameters) == same:
            raise Outdated(f"{about}: run {run_id} was ordered without {', '.join(added)}", status=200)
    if run.parameters and _plain(run.parameters) != _plain(job.parameters):
        names = sorted(
            name
            for name in {*run.parameters, *job.parameters}
            if _plain(run.parameters).get(name) != _plain(job.parameters).get(name)
        )
        said = "; ".join(f"{name} {sentence(str(run.parameters.get(name)), 80)}" for name in names)
        wanted = "; ".join(f"{name} {sentence(str(job.parameters.get(name)), 80)}" for name in names)
        raise Misplaced.of(about, f"run {run.run_id} has {said}, and {wanted} was ordered")


def _plain(parameters: Parameters) -> dict[str, Any]:
    """The same for the same question: vendors may write a currency in small letters, or order a list."""
    return {name: _value(value) for name, value in parameters.items()}


def _value(value: Any) -> str | list[str]:
    if isinstance(value, list | tuple):
        return sorted(str(item).casefold() for item in value)
    return str(value).casefold()
