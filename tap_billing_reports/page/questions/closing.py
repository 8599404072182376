"""May I close the month?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tap_billing_reports.page.shapes import table
from tap_billing_reports.page.values import Answer, Light, Mark
from tap_billing_reports.page.words import counted, month_of, vendor

if TYPE_CHECKING:
    from datetime import date

    from tap_billing_reports.page.read import Reading

# The worst first: it is that of the answer.
_LIGHTS: Final = {"no": Light.LOOK, "not checked": Light.UNCHECKED, "yes": Light.GOOD}


def may_close(reading: Reading, month: date) -> Answer | None:
    """By account, for the last month that is over."""
    rows = reading.rows(
        f"select source, account_id, verdict, why_not, not_checked from {{schema}}.close_checklist "
        f"where month = '{month}' "
        f"order by case verdict when 'no' then 1 when 'not checked' then 2 else 3 end, source, account_id"
    )
    if not rows:
        return None
    verdicts = [verdict for _, _, verdict, *_ in rows]
    light = next(light for word, light in _LIGHTS.items() if word in verdicts)
    cells = [
        (vendor(source), account, Mark(_LIGHTS[verdict], verdict), why_not, not_checked)
        for source, account, verdict, why_not, not_checked in rows
    ]
    heads = ("Vendor", "Account", "May be closed", "What speaks against it", "What was not checked (what would help)")
    said = _said(verdicts, month_of(month))
    return Answer("close", f"May I close {month_of(month)}?", light, said, (table("By account", heads, cells),))


def _said(verdicts: list[str], month: str) -> str:
    refused, unchecked = verdicts.count("no"), verdicts.count("not checked")
    of_all = counted(len(verdicts), "account")
    if refused:
        more = f" Of {unchecked} more, not all was checked." if unchecked else ""
        return f"Not yet: {refused} of {of_all} cannot be closed for {month}.{more}"
    if unchecked:
        return (
            f"It was not fully checked: nothing speaks against closing {month}, but for {unchecked} of {of_all} "
            f"not all could be checked."
        )
    return f"Yes: everything of {of_all} was checked, and nothing speaks against closing {month}."
