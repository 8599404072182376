"""What each record must have by the vendors' documents: without it a record is refused, and the field is named."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tap_billing_reports.declare import Need
from tap_billing_reports.declare.client import has_key, map_fields
from tap_billing_reports.vendors import bring, brp, stripe

INVOICE = {
    "id": "in_1", "number": "A-1", "status": "open", "created": 1767225600, "due_date": None, "effective_at": None,
    "currency": "nok", "total": 12500, "total_excluding_tax": 10000, "amount_remaining": 12500,
    "total_taxes": [{"amount": 2500}],
    "status_transitions": {"paid_at": None, "finalized_at": None, "voided_at": None},
}  # fmt: skip
TYPE = {
    "id": "payouts.itemized.3", "name": "Payouts", "data_available_start": 1, "data_available_end": 2, "updated": 3,
}  # fmt: skip
# Bring calls `batchSource` required, too, but its own first example has none.
FREIGHT = {"invoiceNumber": "10158070", "invoiceDate": "31.12.2019"}
GYM = {
    "id": "1044", "number": "796", "totalamount": "17000", "rest": "17000", "invoicedate": "2015-01-11",
    "duedate": "2015-01-21", "state": {"number": "2", "value": "Pending"},
}  # fmt: skip
CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "stripe invoices": (stripe.INVOICE_FIELDS, INVOICE),
    "stripe report types": (stripe.TYPE_FIELDS, TYPE),
    "bring invoices": (bring.INVOICE_FIELDS, FREIGHT),
    "bring report types": (bring.TYPE_FIELDS, {"id": "X"}),
    "brp invoices": (brp._fields({"brp_currency": "SEK"}), GYM),
}
NEEDED = [
    pytest.param(name, field, id=f"{name}, {field.path}")
    for name, (fields, _record) in CASES.items()
    for field in fields
    if field.need is not Need.OPTIONAL
]
RUN = {
    "id": "frr_1", "status": "pending", "report_type": "payouts.itemized.3", "parameters": {}, "created": 1,
    "error": None, "result": None, "succeeded_at": None,
}  # fmt: skip


def without(record, path):
    changed = copy.deepcopy(record)
    outer, _, key = path.rpartition(".")
    place = changed[outer] if outer else changed
    del place[key]
    return changed


@pytest.mark.parametrize(("name", "field"), NEEDED)
def test_a_record_without_it_is_refused_by_name(name, field):
    fields, record = CASES[name]
    assert map_fields(fields, record)
    with pytest.raises(ValueError, match=rf"{field.path} is missing"):
        map_fields(fields, without(record, field.path))
    outer, _, key = field.path.rpartition(".")
    empty = copy.deepcopy(record)
    (empty[outer] if outer else empty)[key] = None
    if field.need is Need.VALUE:
        with pytest.raises(ValueError, match=rf"{field.path} is empty"):
            map_fields(fields, empty)
    else:
        assert map_fields(fields, empty)[field.name] is None


@pytest.mark.parametrize("key", ["id", "status", "report_type", "parameters", "created"])
def test_a_run_must_have_what_stripe_requires_of_it(key):
    assert stripe._read_run(RUN).run_id == "frr_1"
    with pytest.raises(KeyError, match=key):
        stripe._read_run(without(RUN, key))


def test_money_dates_ids_and_states_are_needed():
    for name in ("stripe invoices", "brp invoices"):
        needed = {field.name for field in CASES[name][0] if field.need is not Need.OPTIONAL}
        assert needed >= {"invoice_id", "status", "invoice_date", "due_date", "total_amount", "amount_due"}, name


def test_a_key_that_is_null_is_there():
    assert has_key({"a": {"b": None}}, "a.b")
    assert not has_key({"a": None}, "a.b")
    assert has_key({}, "")
