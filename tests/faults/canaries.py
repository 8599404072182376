"""Secrets that must turn up nowhere, in every form in which they could."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import requests

from tap_billing_reports.config.settings import all_settings
from tap_billing_reports.vendors import all_sources
from tests.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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
        if config.get("brp_username"):
            self.secrets.append(f"{config['brp_username']}:{config['brp_password']}")
        self.of_invoices = list(_invoice_secrets(box, config["stripe_api_key"])) if "stripe_api" in box.urls else []
        # All links begin alike, and all client secrets end alike: few texts stand for most of them.
        needles = {INVOICE_LINKS, INVOICE_SECRETS, quote(INVOICE_LINKS, safe="")}
        needles.add(base64.b64encode(INVOICE_LINKS[:27].encode()).decode())
        for secret in (*self.secrets, *self.of_invoices):
            needles.update(spellings(secret))
        self._needles = [n for n in needles if not any(other in n for other in needles if other != n)]

    def count(self, *texts: str) -> int:
        """How many bytes of them stand in the texts."""
        return sum(text.count(needle) * len(needle) for text in texts for needle in self._needles)

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
