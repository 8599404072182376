"""What the page says, from the views of a warehouse: amounts exact, and never of two currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_billing_reports.page.questions.closing import may_close
from tap_billing_reports.page.questions.fees import fees_cost
from tap_billing_reports.page.questions.freight import freight_cost
from tap_billing_reports.page.questions.moved import moved
from tap_billing_reports.page.questions.overdue import is_overdue
from tap_billing_reports.page.questions.payouts_way import payouts_way
from tap_billing_reports.page.questions.tax import tax
from tap_billing_reports.page.questions.ties import does_not_tie
from tap_billing_reports.page.syncs import last_syncs, said
from tap_billing_reports.page.values import Facts

if TYPE_CHECKING:
    from tap_billing_reports.page.read import Reading

# What `sync` has not noted, since another program has loaded it: emulated accounts begin so. Behind `acct_` a real one
# has letters and digits at random.
INVENTED = "acct_sandbox"


def facts(reading: Reading) -> Facts:
    """Ask everything.

    Raises:
        LoadError: the warehouse refuses.
    """
    ((today, month),) = reading.rows(
        "select current_date, cast(date_trunc('month', current_date - extract(day from current_date)::int) as date)"
    )
    ((invented,),) = reading.rows(
        f"select count(*) from {{schema}}.close_checklist where account_id like '{INVENTED}%'"
    )
    answers = (
        may_close(reading, month),
        does_not_tie(reading, month),
        is_overdue(reading),
        payouts_way(reading, month),
        fees_cost(reading, month),
        freight_cost(reading, month),
        tax(reading),
    )
    money, syncs = moved(reading, month), last_syncs(reading)
    is_invented = invented > 0 or any(one.is_emulated for one in syncs)
    answered = tuple(answer for answer in answers if answer is not None)
    return Facts(today, month, is_invented, money, answered, tuple(said(syncs)))
