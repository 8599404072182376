"""What Stripe accepts as parameters, and the errors with which it refuses the rest."""

from __future__ import annotations

import functools
import re
import zoneinfo
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from .errors import StripeError, missing, unknown_parameter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .catalogue import ReportType

CATEGORIES = frozenset(
    [
        "advance",
        "advance_funding",
        "anticipation_repayment",
        "charge",
        "charge_failure",
        "climate_order_purchase",
        "climate_order_refund",
        "connect_collection_transfer",
        "connect_reserved_funds",
        "contribution",
        "dispute",
        "dispute_reversal",
        "fee",
        "financing_paydown",
        "financing_paydown_reversal",
        "financing_payout",
        "financing_payout_reversal",
        "issuing_authorization_hold",
        "issuing_authorization_release",
        "issuing_dispute",
        "issuing_transaction",
        "network_cost",
        "other_adjustment",
        "partial_capture_reversal",
        "payout",
        "payout_reversal",
        "platform_earning",
        "platform_earning_refund",
        "refund",
        "refund_failure",
        "risk_reserved_funds",
        "tax",
        "topup",
        "topup_reversal",
        "transfer",
        "transfer_reversal",
        "unreconciled_customer_funds",
    ]
)
_CURRENCY = re.compile(r"^[a-zA-Z]{3}$")
_RANGE_KEYS = frozenset({"gt", "gte", "lt", "lte"})
_MAX_LIMIT = 100
_SEPARATORS = {".", ","}


@functools.cache
def timezones() -> frozenset[str]:
    """The zone names that a run may ask for."""
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def allow(given: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse parameters that an endpoint does not know; all know `expand`."""
    for name in given:
        if name not in known and name != "expand":
            raise unknown_parameter(name)


def integer(value: Any, param: str) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
        raise StripeError(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)
    return int(value)


def limit(given: Mapping[str, Any]) -> int:
    """The page length, 1 to 100, 10 when not given."""
    if "limit" not in given:
        return 10
    wanted = integer(given["limit"], "limit")
    if not 1 <= wanted <= _MAX_LIMIT:
        bound = "greater than or equal to 1" if wanted < 1 else f"less than or equal to {_MAX_LIMIT}"
        message = f"This value must be {bound} (it currently is '{wanted}')."
        raise StripeError(400, message, code="parameter_invalid_integer", param="limit")
    return wanted


class Span:
    """A filter on a time in whole seconds: an exact value or bounds."""

    def __init__(self, given: Any, param: str) -> None:
        if isinstance(given, dict):
            for key in given:
                if key not in _RANGE_KEYS:
                    raise unknown_parameter(f"{param}[{key}]")
            self._bounds = {key: integer(value, f"{param}[{key}]") for key, value in given.items()}
        else:
            exact = integer(given, param)
            self._bounds = {"gte": exact, "lte": exact}

    def holds(self, moment: int | None) -> bool:
        if moment is None:
            return False
        checks = {"gt": moment.__gt__, "gte": moment.__ge__, "lt": moment.__lt__, "lte": moment.__le__}
        return all(checks[key](bound) for key, bound in self._bounds.items())


def run_parameters(
    given: Any, kind: ReportType, first: datetime, end: datetime, connected: Collection[str]
) -> dict[str, Any]:
    """The checked parameters of a run, as its answers repeat them.

    `first` and `end` bound the data that are there; `connected` are the accounts that one may name.

    Raises:
        StripeError: as Stripe refuses them.
    """
    if not isinstance(given, dict):
        raise StripeError(400, "Invalid object", param="parameters")
    for name in sorted(kind.required):
        if name not in given:
            message = f"Missing required param: parameters[{name}]."
            raise StripeError(400, message, code="parameter_missing", param=f"parameters.{name}")
    known = kind.required | kind.optional
    if "connected_account" in known:
        known |= {"connected_accounts"}
    checked: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise unknown_parameter(f"parameters[{name}]")
        checked[name] = _one(name, value, kind, connected)
    _interval(checked, kind, first, end)
    return checked


def _one(name: str, value: Any, kind: ReportType, connected: Collection[str]) -> Any:
    param = f"parameters.{name}"
    if name in {"interval_start", "interval_end"}:
        return integer(value, param)
    if name == "columns":
        return _columns(value, kind)
    if name == "connected_accounts":
        return [_account(one, connected, param) for one in (value if isinstance(value, list) else [value])]
    if not isinstance(value, str):
        raise StripeError(400, "Invalid string", param=param)
    if name == "connected_account":
        return _account(value, connected, param)
    if name == "timezone" and value not in timezones():
        raise StripeError(400, f"Invalid {param}: must be one of the names of the tz database", param=param)
    if name == "reporting_category" and value not in CATEGORIES:
        raise StripeError(400, f"Invalid {param}: must be one of {', '.join(sorted(CATEGORIES))}", param=param)
    if name == "currency" and not _CURRENCY.match(value):
        raise StripeError(400, f"Invalid currency: {value}", code="parameter_invalid_string_blank", param=param)
    if name == "decimal_separator" and value not in _SEPARATORS:
        raise StripeError(400, f"Invalid {param}: must be one of . or ,", param=param)
    return value.lower() if name == "currency" else value


def _account(value: Any, connected: Collection[str], param: str) -> str:
    if value not in connected:
        raise missing("account", str(value), param, status=400)
    return str(value)


def _columns(value: Any, kind: ReportType) -> list[str]:
    param = "parameters.columns"
    if not isinstance(value, list) or not value:
        raise StripeError(400, "Invalid array", param=param)
    for column in value:
        if not isinstance(column, str) or not kind.has(column):
            raise StripeError(400, f"Column `{column}` is not available for the report type {kind.id}.", param=param)
    return value


def _interval(checked: Mapping[str, int], kind: ReportType, first: datetime, end: datetime) -> None:
    for name in ("interval_start", "interval_end"):
        if name not in checked:
            continue
        moment = checked[name]
        if moment < first.timestamp():
            edge = f"starting at {_shown(first.timestamp())}"
        elif moment > end.timestamp():
            edge = f"through {_shown(end.timestamp())}"
        else:
            continue
        raise StripeError(
            400,
            f"Data for the report type {kind.id} is only available {edge}; you requested `{name}` = {_shown(moment)}.",
            param=f"parameters.{name}",
        )
    if "interval_start" in checked and checked["interval_start"] >= checked["interval_end"]:
        message = "`interval_start` must be before `interval_end`."
        raise StripeError(400, message, param="parameters.interval_start")


def _shown(moment: float) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
