"""Secrets that must turn up nowhere, in every form in which they could."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote

import requests

from tap_billing_reports.config.settings import all_settings
from tap_billing_reports.vendors import all_sources
from tests.faults.vendors import ALL
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tap_billing_reports.sandbox.core import Sandbox

# Who has one of these texts opens a Stripe invoice without any key.
INVOICE_LINKS = "https://invoice.stripe.com/i/"
INVOICE_SECRETS = "_secret_sandbox"


def spellings(secret: str) -> Iterator[str]:
    """Raw, escaped, URL-encoded and Base64, the latter alone, as Basic with an empty password, and URL-safe."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="")
    yield quote_plus(secret)
    for form in (secret, f"{secret}:"):
        yield base64.b64encode(form.encode()).decode().rstrip("=")
        yield base64.urlsafe_b64encode(form.encode()).decode().rstrip("=")


# What is promised of parts, in SECURITY.md: the beginning or the end of so many letters; of a short secret three
# quarters, and so many at least.
PART = 12
SHORTEST_PART = 8


def traces(secret: str) -> Iterator[str]:
    """What betrays a secret in a text that is decoded: its beginning, its end, and where its Base64 begins."""
    least = len(secret) if ":" in secret else min(PART, max(SHORTEST_PART, len(secret) * 3 // 4), len(secret))
    yield secret[:least]
    yield secret[-least:]
    # Behind none, one or two other letters, as a password in Basic is.
    for before, cut in ((0, 0), (1, 2), (2, 3)):
        written = base64.b64encode(b"?" * before + secret.encode()).decode().rstrip("=")[cut:-1]
        yield written if ":" in secret else written[:PART]


_PERCENT = re.compile(r"%(?:25)+(?=[0-9A-Fa-f]{2})")
_AMPERSANDS = re.compile(r"&(?:amp;)+")
_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([^A-Za-z0-9\s]))")


def decoded(text: str) -> str:
    """A text as whoever wants to know would read it: percent-encoding, HTML and escapes undone, several times over."""
    text = unquote(_PERCENT.sub("%", text))
    text = html.unescape(_AMPERSANDS.sub("&", text))
    return _ESCAPE.sub(lambda found: found[3] or chr(int(found[1] or found[2], 16)), text)


def count(text: str, needles: Iterable[str]) -> int:
    """How many letters of these stand in the text, in whatever case, as it is or decoded once or twice."""
    needles = [needle.lower() for needle in needles]
    once = decoded(text)
    layers = {text.lower(), once.lower(), decoded(once).lower()}
    return max(sum(layer.count(needle) * len(needle) for needle in needles) for layer in layers)


def outermost(needles: Iterable[str]) -> list[str]:
    """Without those that hold another one: whatever has them has that, too."""
    found = set(needles)
    return [n for n in found if not any(other in n for other in found if other != n)]


class Canaries:
    """Every secret setting of these settings, and what Stripe's invoices carry.

    Args:
        box: its Stripe is asked for the invoices' links and secrets.
        config: the settings.
        more: other secrets.
    """

    # `storage_options` holds a secret of its own, which is among `more`.
    SETTINGS = tuple(s.name for s in all_settings(all_sources()) if s.secret and s.name != "storage_options")

    def __init__(self, box: Sandbox, config: Mapping[str, Any], *more: str) -> None:
        self.secrets = [config[name] for name in self.SETTINGS if config.get(name)]
        self.secrets += more
        pairs = [pair for vendor in ALL.values() for pair in vendor.pairs]
        self.secrets += [f"{config[user]}:{config[word]}" for user, word in pairs if config.get(user)]
        self.of_invoices = list(_invoice_secrets(box, config["stripe_api_key"])) if "stripe_api" in box.urls else []
        # All links begin alike, and all client secrets end alike: few texts stand for most of them.
        needles = {INVOICE_LINKS, INVOICE_SECRETS, quote(INVOICE_LINKS, safe="")}
        needles.add(base64.b64encode(INVOICE_LINKS[:27].encode()).decode())
        # A token's own end: of tokens nothing but the whole is looked for.
        tokens = [token for vendor in ALL.values() for token in vendor.tokens]
        for secret in (*self.secrets, *self.of_invoices, *tokens):
            needles.update(spellings(secret))
        for secret in self.secrets:
            needles.update(traces(secret))
        self._needles = outermost(needles)

    def count(self, *texts: str) -> int:
        """How many letters of them stand in the texts, in any spelling that is masked."""
        return sum(count(text, self._needles) for text in texts)

    def count_files(self, folder: Path) -> int:
        """How many bytes of them stand in a folder's files, or in their names."""
        found = 0
        for path in folder.rglob("*"):
            found += self.count(str(path.relative_to(folder)))
            if path.is_file():
                found += self.count(path.read_bytes().decode("latin-1"))
        return found


def _invoice_secrets(box: Sandbox, key: str) -> Iterator[str]:
    """The links and client secrets in all of Stripe's invoices."""
    after: dict[str, str] = {}
    while True:
        answer = requests.get(
            f"{box.urls['stripe_api']}/v1/invoices",
            params={"limit": "100", **after},
            auth=(key, ""),
            timeout=HANG_SECONDS,
        ).json()
        for invoice in answer["data"]:
            yield from filter(None, (invoice["hosted_invoice_url"], invoice["invoice_pdf"]))
            if invoice["confirmation_secret"]:
                yield invoice["confirmation_secret"]["client_secret"]
        if not answer["has_more"]:
            return
        after = {"starting_after": answer["data"][-1]["id"]}
