"""What was asked of the sandbox: one entry a request, and the counters made of them.

A header or a query may hold a credential, so an entry names the credentials seen (`stripe:0` is the first of
Stripe's) and where, and holds no header at all; in queries and forms each is replaced by its name.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

Headers = Iterable[tuple[bytes, bytes]]


class Secrets:
    """Finds known credentials in a request."""

    def __init__(self, known: Mapping[str, Sequence[str]]) -> None:
        """`known`: vendor -> its credentials, in an order that gives them their names."""
        self._names = {value: f"{vendor}:{n}" for vendor, values in known.items() for n, value in enumerate(values)}
        # Longest first, so that a credential which begins like another is not taken for it.
        ordered = sorted(self._names, key=len, reverse=True)
        self._any = re.compile("|".join(map(re.escape, ordered)) or r"(?!)")

    def seen(self, headers: Headers, query: str, path: str, body: str) -> list[dict[str, str]]:
        """[{"name", "where"}]: where is `header`, `basic`, `query`, `path` or `body`."""
        places: list[tuple[str, str]] = [("query", query), ("path", path), ("body", body)]
        for name, value in headers:
            text = value.decode("latin-1")
            if name.lower() == b"authorization" and text[:6].lower() == "basic ":
                places.append(("basic", _basic(text[6:])))
            else:
                places.append(("header", unquote_plus(text)))
        found = {(self._names[hit], where) for where, text in places for hit in self._any.findall(text)}
        return [{"name": name, "where": where} for name, where in sorted(found)]

    def hidden(self, text: str) -> str:
        """`text` with each credential replaced by its name."""
        return self._any.sub(lambda hit: f"<{self._names[hit.group()]}>", text)


def _basic(text: str) -> str:
    try:
        return base64.b64decode(text, validate=False).decode("utf-8", "replace")
    except binascii.Error:
        return text


class RequestLog:
    """Every request to a vendor's host or to the foreign one, in order of arrival."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def open(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Append and return the entry; the caller fills in its status and bytes as they are sent."""
        with self._lock:
            entry["n"] = len(self._entries) + 1
            self._entries.append(entry)
        return entry

    def entries(self) -> list[dict[str, Any]]:
        with self._lock:
            return [dict(entry) for entry in self._entries]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


def counters(entries: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What a test asserts on.

    {"requests": {host: {"GET /route": n}}, "statuses": {host: {"200": n}}, "credentials": {host: [name]},
    "orders": {vendor: {"total": n, "by_key": {text of account, type and parameters: n}}},
    "pending": {vendor: most runs at work at once}, "events": {kind: n}}
    """
    requests: dict[str, Counter[str]] = defaultdict(Counter)
    statuses: dict[str, Counter[str]] = defaultdict(Counter)
    credentials: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        host = entry["host"]
        requests[host][f"{entry['method']} {entry['route']}"] += 1
        statuses[host][str(entry["status"])] += 1
        credentials[host].update(found["name"] for found in entry["secrets"])
    orders: dict[str, Counter[str]] = defaultdict(Counter)
    pending: dict[str, int] = defaultdict(int)
    kinds: Counter[str] = Counter()
    for event in events:
        kinds[event["kind"]] += 1
        if event["kind"] == "order":
            vendor = str(event["vendor"])
            orders[vendor][order_key(event)] += 1
        elif event["kind"] == "pending":
            vendor = str(event["vendor"])
            pending[vendor] = max(pending[vendor], int(event["count"]))
    return {
        "requests": {host: dict(found) for host, found in requests.items()},
        "statuses": {host: dict(found) for host, found in statuses.items()},
        "credentials": {host: sorted(names) for host, names in credentials.items()},
        "orders": {vendor: {"total": found.total(), "by_key": dict(found)} for vendor, found in orders.items()},
        "pending": dict(pending),
        "events": dict(kinds),
    }


def order_key(event: Mapping[str, Any]) -> str:
    """One text per thing ordered: the same account, type and parameters give the same text."""
    parts = [event.get("account"), event.get("type"), event.get("parameters")]
    return json.dumps([part for part in parts if part is not None], sort_keys=True, separators=(",", ":"))
