"""Which reader a file has is said by the file, and how it is built by the declaration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tap_billing_reports.core.errors import FileError
from tap_billing_reports.reports.files.opening import open_reader


def test_xml_whose_form_is_not_declared_is_refused_with_what_to_declare():
    file: Any = SimpleNamespace(remote=SimpleNamespace(format="xml"), further=())
    api: Any = SimpleNamespace(xml=None)
    report: Any = SimpleNamespace(source="acme", zone="UTC")
    nothing: Any = None
    with pytest.raises(FileError, match="the declaration does not say how") as caught:
        open_reader(
            file,
            api,
            report,
            resolve=nothing,
            sum_of=(),
            decimals_as=nothing,
            common={},
            judge=nothing,
            tallies=(),
        )
    assert caught.value.remedy == "declare xml=d.XmlForm(...) in the reports of acme"
