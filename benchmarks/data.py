"""Generated report files, deterministic, kept under `benchmarks/data` (not in the repository)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

ROOT = Path(__file__).parent
FOLDER = ROOT / "data"
CATALOGUE = ROOT.parent / "schemas" / "catalogue" / "stripe.json"
WIDE_TYPE = "balance_change_from_activity.itemized.3"
WIDE_METADATA = ("payment_metadata[order_id]", "refund_metadata[order_id]", "transfer_metadata[order_id]")


@dataclass(frozen=True)
class Sample:
    """A file with its columns: header to type."""

    path: Path
    columns: dict[str, str]
    zone: str = "UTC"

    @property
    def arguments(self):
        """As the programs that are measured take them."""
        return (str(self.path), json.dumps(self.columns), self.zone)

    @classmethod
    def given(cls, path, columns, zone):
        """From those arguments."""
        return cls(Path(path), json.loads(columns), zone)


def _money(number):
    return f"{number // 100}.{number % 100:02d}"


def _day(i):
    return f"2026-{1 + i % 12:02d}-{1 + i % 28:02d}"


def _time(i, second):
    return f"{_day(i)} {second % 24:02d}:{second // 24 % 60:02d}:{second // 1440 % 60:02d}"


# Header -> type, and the value in row i.
NARROW = {
    "row_id": ("integer", lambda i: i),
    "account_ref": ("text", lambda _: "acct-000123"),
    "campaign_id": ("text", lambda i: f"cmp-{i % 5000:07d}"),
    "campaign_name": ("text", lambda i: f"Campaign {i % 997:04d} \u2013 brand/generic"),
    "ad_group": ("text", lambda _: "AG-17"),
    "keyword": ("text", lambda i: f"buy running shoes {i % 1009}"),
    "cost": ("decimal", lambda i: _money(i * 7919 % 1_000_003)),
    "revenue": ("decimal", lambda i: _money(i * 104_729 % 9_999_991)),
    "impressions": ("integer", lambda i: i % 100_000),
    "clicks": ("integer", lambda i: i % 1000),
    "conversions": ("integer", lambda i: i % 10),
    "date": ("date", _day),
    "updated_at": ("timestamp", lambda i: _time(i, i)),
    "active": ("boolean", lambda i: "true" if i % 2 else "false"),
    "is_brand": ("boolean", lambda i: "true" if i % 3 else "false"),
}
LINE = {
    "InvoiceNumber": ("text", lambda i: f"70{i // 100}"),
    "InvoiceDate": ("date", lambda i: f"{1 + i % 28:02d}.04.2026"),
    "ShipmentNumber": ("text", lambda i: f"7070061105{i}"),
    "PackageNumber": ("text", lambda i: f"37070061105{i}"),
    "ProductCode": ("text", lambda _: "5800"),
    "Product": ("text", lambda _: "Pakke til bedrift"),
    "Description": ("text", lambda i: "Grunnpris" if i % 50 else "Grunnpris &amp; till\u00e6gg"),
    "WeightKg": ("decimal", lambda i: f"{i % 30}.{i % 10}"),
    "GrossPrice": ("decimal", lambda i: _money(i * 7919 % 100_003)),
    "Discount": ("decimal", lambda _: "0.00"),
    "AgreementPrice": ("decimal", lambda i: _money(i * 7919 % 100_003)),
    "CurrencyCode": ("text", lambda _: "NOK"),
    "SentFromPostalCode": ("text", lambda _: "0150"),
    "SentToPostalCode": ("text", lambda _: "5020"),
    "SentToCity": ("text", lambda _: "BERGEN"),
    "DELIVERY_COUNTRY": ("text", lambda _: "NO"),
    "HandedInDate": ("date", lambda _: "24.04.2026"),
    "InvoiceTriggeredDate": ("date", lambda _: "25.04.2026"),
}


def _wide_cell(i, place, header, type_):
    if type_ == "decimal":
        return _money((i * 7919 + place) % 1_000_003)
    if type_.startswith("timestamp"):
        second = i * 37 + place
        return f"{_day(i)} {second % 24:02d}:{second // 24 % 60:02d}:{second % 60:02d}"
    if type_ == "boolean":
        return "true" if i % 7 else "false"
    if type_ == "currency":
        return ("usd", "eur", "nok")[i % 3]
    # A third of the text columns has no value in most rows.
    return "" if place % 3 == 2 else f"{header[:8]}_{(i * 31 + place) % 100_003}"


def _types(columns):
    return {header: type_ for header, (type_, _) in columns.items()}


def _written(name, texts):
    """The file of these texts, made once: written aside, then moved in place."""
    path = FOLDER / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{name}.part")
        with aside.open("w", encoding="utf-8", newline="") as file:
            file.writelines(texts)
        aside.replace(path)
    return path


def _csv(name, header, rows):
    """No cell of these files needs quotes."""
    return _written(f"{name}.csv", (f"{','.join(map(str, cells))}\r\n" for cells in chain([header], rows)))


def narrow(rows):
    cells = ([value(i) for _, value in NARROW.values()] for i in range(rows))
    return Sample(_csv(f"narrow_{rows}", NARROW, cells), _types(NARROW))


def wide(rows):
    catalogue = json.loads(CATALOGUE.read_text())
    headers = (*catalogue["report_types"][WIDE_TYPE]["columns"], *WIDE_METADATA)
    columns = {header: catalogue["types"].get(header, "text") for header in headers}
    cells = ([_wide_cell(i, place, *one) for place, one in enumerate(columns.items())] for i in range(rows))
    return Sample(_csv(f"wide_with_currencies_{rows}", columns, cells), columns, "America/Los_Angeles")


def narrow_of_size(mib):
    """The same rows again and again, until the file is this big."""
    block = narrow(100_000)
    header, _, rows = block.path.read_text(encoding="utf-8").partition("\n")
    times = -(-(mib << 20) // len(rows.encode()))
    return Sample(_written(f"narrow_{mib}mib.csv", chain([f"{header}\n"], repeat(rows, times))), block.columns)


def lines(rows):
    begin = '<?xml version="1.0" encoding="UTF-8"?>\n<Report xmlns="urn:bring.no/mybring/Report">\n'
    begin += f"  <MetaData>\n    <NumberOfRows>{rows}</NumberOfRows>\n  </MetaData>\n  <Lines>\n"
    fields = ("".join(f"      <{tag}>{value(i)}</{tag}>\n" for tag, (_, value) in LINE.items()) for i in range(rows))
    texts = chain([begin], (f"    <Line>\n{one}    </Line>\n" for one in fields), ["  </Lines>\n</Report>\n"])
    return Sample(_written(f"lines_{rows}.xml", texts), _types(LINE), "Europe/Oslo")
