"""The control host: `Control` over HTTP, JSON in and out.

    GET  /                 {"urls": {host: url}}
    GET  /clock            {"now", "frozen"}
    POST /clock            {"advance": seconds} | {"set": RFC 3339} | {"freeze": true | false}, also combined
    POST /next-day         the clock moves by a day, every vendor has the day's events
    GET  /faults           the rules, each with how often it matched and was used
    POST /faults           one rule or a list of them (see `faults`); {"added": [numbers]}
    DELETE /faults
    POST /latency          {"seconds": s}
    GET  /requests         the log;  DELETE /requests empties it and the event log
    GET  /counters         see `requestlog.counters`
    GET  /settings         flat settings of the tap, ?start_date=YYYY-MM-DD
    POST /totals           settings of the tap -> {stream: {source: {"rows", "sums"}}}
    GET  /orders           a shop's own orders, with the tracking numbers of their shipments
    GET  /options          the switches;  POST /options merges an object into them (null removes one)
    POST /reset            everything as at the start

A wrong request is answered with 400 and {"error": text}.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from .control import Control


def control_app(control: Control, urls: Mapping[str, str]) -> Starlette:
    """The application of the control host."""
    calls: dict[tuple[str, str], Callable[[Request, Any], Any]] = {
        ("GET", "/"): lambda _request, _body: {"urls": dict(urls)},
        ("GET", "/clock"): lambda _request, _body: _clock(control),
        ("POST", "/clock"): lambda _request, body: _move(control, body),
        ("POST", "/next-day"): lambda _request, _body: _next_day(control),
        ("GET", "/faults"): lambda _request, _body: control.faults(),
        ("POST", "/faults"): lambda _request, body: _add(control, body),
        ("DELETE", "/faults"): lambda _request, _body: control.clear_faults(),
        ("POST", "/latency"): lambda _request, body: control.latency(float(body["seconds"])),
        ("GET", "/requests"): lambda _request, _body: control.requests(),
        ("DELETE", "/requests"): lambda _request, _body: control.forget(),
        ("GET", "/counters"): lambda _request, _body: control.counters(),
        ("GET", "/settings"): lambda request, _body: control.settings(request.query_params.get("start_date")),
        ("POST", "/totals"): lambda _request, body: control.totals(body),
        ("GET", "/orders"): lambda _request, _body: control.orders(),
        ("GET", "/options"): lambda _request, _body: control.options,
        ("POST", "/options"): lambda _request, body: _switch(control, body),
        ("POST", "/reset"): lambda _request, _body: control.reset(),
    }

    def endpoint(call: Callable[[Request, Any], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> JSONResponse:
            text = await request.body()
            try:
                return JSONResponse(call(request, json.loads(text) if text else {}))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=400)

        return answer

    return Starlette(routes=[Route(path, endpoint(call), methods=[method]) for (method, path), call in calls.items()])


def _clock(control: Control) -> dict[str, Any]:
    return {"now": control.now().isoformat(), "frozen": control.clock.frozen}


def _next_day(control: Control) -> dict[str, Any]:
    control.next_day()
    return _clock(control)


def _move(control: Control, body: Mapping[str, Any]) -> dict[str, Any]:
    if "set" in body:
        control.clock.set(datetime.fromisoformat(body["set"]))
    if "advance" in body:
        control.advance(float(body["advance"]))
    if "freeze" in body:
        (control.freeze if body["freeze"] else control.unfreeze)()
    return _clock(control)


def _add(control: Control, body: Any) -> dict[str, list[int]]:
    rules = body if isinstance(body, list) else [body]
    return {
        "added": [
            control.fault(rule["do"], rule.get("match"), skip=rule.get("skip", 0), times=rule.get("times"))
            for rule in rules
        ]
    }


def _switch(control: Control, body: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in body.items():
        if value is None:
            control.options.pop(name, None)
        else:
            control.options[name] = value
    return control.options
