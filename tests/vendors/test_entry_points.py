"""Sources of other packages: taken as they are, or refused with the package's name."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.declare import Host, Setting, Source
from tap_billing_reports.vendors import ENTRY_POINTS, with_added
from tap_billing_reports.vendors.brp import BRP

SETTINGS = (Setting("acme_key", "The key.", required=True), Setting("acme_url", "The URL.", required=True))
OWN = replace(BRP, name="acme", settings=SETTINGS, hosts=(Host("brp", "acme_url"),), columns={})
FOREIGN = replace(OWN, settings=(*SETTINGS, Setting("stripe_api_key", "The key.")))
HOMELESS = replace(OWN, hosts=(Host("brp", "acme_link"),))
TAKEN = replace(OWN, name="brp")
UNNAMEABLE = replace(OWN, name="Acme Pay")
BARE_COLUMN = replace(OWN, columns={"invoices": {"project": {"type": ["string", "null"]}}})
NOTHING = object()


def added(name):
    return with_added((BRP,), [EntryPoint("acme", f"{__name__}:{name}", ENTRY_POINTS)])


def test_a_source_joins_ours():
    assert added("OWN") == (BRP, OWN)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("FOREIGN", "settings and columns stripe_api_key do not begin with acme_"),
        ("BARE_COLUMN", "settings and columns project do not begin with acme_"),
        ("HOMELESS", "hosts: the setting acme_link of the host brp is not declared"),
        ("TAKEN", "the name brp is taken"),
        ("UNNAMEABLE", "not lower case"),
        ("NOTHING", "is no Source"),
        ("MISSING", "cannot be loaded"),
    ],
)
def test_what_is_refused(name, reason):
    with pytest.raises(ConfigError, match=reason) as refused:
        added(name)
    assert "entry point acme of tap_billing_reports.sources" in str(refused.value)


def test_one_that_cannot_be_made_is_no_traceback():
    broken = EntryPoint("acme", "tests.vendors.unmakable:RULE", ENTRY_POINTS)
    with pytest.raises(ConfigError, match=r"cannot be loaded \(NotYetWhen: it names no answer\): repair or remove"):
        with_added((BRP,), [broken])


def test_a_source_needs_nothing_but_its_accounts():
    bare = Source(
        name="acme",
        title="Acme",
        zone="UTC",
        settings=(),
        hosts=(),
        authenticator=OWN.authenticator,
        account_label=lambda _values: "me",
        accounts=lambda _client: (),
    )
    assert not bare.is_on({"acme_key": "x"})
    assert (bare.invoices, bare.reports, bare.report_types) == (None, None, None)
