"""A failure as facts, from where it happens to the closing lines."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from tap_billing_reports.core.errors import BillingError
from tap_billing_reports.core.redaction import redact

if TYPE_CHECKING:
    from tap_billing_reports.core.about import About


@dataclass(frozen=True)
class Failure:
    """What went wrong, and for whom. Two failures are the same if all facts but the remedy are.

    Attributes:
        said: what went wrong, without the facts below.
        source: the vendor's name; empty where the failure is of no vendor.
        account: whose data are missing.
        stream: what is not read because of it.
        period: the period of the stream's report, empty where more than one period failed.
        run: the run whose file is at fault.
        call: the call that failed: method and URL without its query.
        remedy: what a person can do about it; empty where `said` says it.
    """

    said: str
    source: str = ""
    account: str = ""
    stream: str = ""
    period: str = ""
    run: str = ""
    call: str = ""
    remedy: str = field(default="", compare=False)

    @classmethod
    def of(
        cls,
        cause: BillingError | str,
        about: About | None = None,
        *,
        stream: str = "",
        period: str = "",
        run: str = "",
        more: str = "",
        remedy: str | None = None,
    ) -> Failure:
        """The failure that an error, or a sentence, means for a stream.

        Args:
            cause: what went wrong.
            about: whose data were read; what an error knows of that itself comes first, but for a period's account.
            stream: what is not read because of it.
            period: of the stream's report.
            run: whose file is at fault.
            more: follows what the error says.
            remedy: unset: that of the error.
        """
        if isinstance(cause, BillingError):
            said, own = cause.message, cause.about
            remedy = cause.remedy if remedy is None else remedy
        else:
            said, own = cause, None
        known = own or about
        # A period is its own account's, also where the call was made with the rights of another one.
        whose = about if period and about is not None else known
        return cls(
            f"{said}{more}",
            source=known.source if known else "",
            account=whose.account if whose else "",
            stream=stream,
            period=period,
            run=run,
            call=own.call if own else "",
            remedy=remedy or "",
        )

    def __str__(self) -> str:
        whose = f"{self.source} account {self.account}" if self.source else ""
        parts = [f"{self.stream} account {self.account} period {self.period}"] if self.period else []
        parts += [f"run {self.run}"] if self.run else []
        parts += [whose] if whose and (self.call or not self.period) else []
        parts += [self.call] if self.call else []
        return ": ".join([*parts, self.said])

    def redacted(self) -> Failure:
        """The same without secrets."""
        return replace(self, **{each.name: redact(getattr(self, each.name)) for each in fields(self)})

    @property
    def without_stream(self) -> Failure:
        """What several streams meet in turn is one failure; that of a period belongs to its stream alone."""
        return self if self.period else replace(self, stream="")
