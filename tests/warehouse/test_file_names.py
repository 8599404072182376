"""A DuckDB file that has the schema's name: DuckDB's own names of its databases are what ours is held against."""

from __future__ import annotations

import duckdb
import pytest

from tap_billing_reports.core.errors import ConfigError
from tap_billing_reports.warehouse.address import address_of
from tap_billing_reports.warehouse.databases import check_views
from tests.warehouse.places import Place


@pytest.mark.parametrize(
    "name", ["billing.duckdb", "billing", "Billing.v1.db", ".billing", "billing-1.duckdb", "a.billing", "temp.duckdb"]
)
def test_a_file_is_refused_when_duckdb_takes_its_name_for_the_schema(tmp_path, name):
    with duckdb.connect(str(tmp_path / name)) as connection:
        ((database,),) = connection.execute("select current_database()").fetchall()
    address = address_of(f"duckdb:{tmp_path / name}")
    if database.lower() == "billing":
        with pytest.raises(ConfigError, match="another name, such as duckdb:warehouse"):
            check_views(address, "billing")
    else:
        check_views(address, "billing")
    check_views(address, "accounts")


def test_duckdb_cannot_have_views_there(tmp_path):
    """Once it can, nothing needs to be refused."""
    place = Place("duckdb", f"duckdb:{tmp_path / 'billing.duckdb'}")
    place.open().close()
    with duckdb.connect(str(tmp_path / "billing.duckdb")) as connection:
        connection.execute("create table billing.billing.amounts (net decimal(38, 12))")
        with pytest.raises(duckdb.BinderException, match="Ambiguous"):
            connection.execute("create view billing.billing.totals as select sum(net) from billing.billing.amounts")


def test_a_server_has_no_such_file():
    check_views(address_of("postgresql://me@127.0.0.1/billing"), "billing")
