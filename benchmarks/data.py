"""Generated report files, deterministic, kept under `benchmarks/data` (not in the repository)."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent
FOLDER = ROOT / "data"
CATALOGUE = ROOT.parent / "schemas" / "catalogue"
WIDE_TYPE = "balance_change_from_activity.itemized.3"
WIDE_METADATA = ("payment_metadata[order_id]", "refund_metadata[order_id]", "transfer_metadata[order_id]")
WIDE_ZONE = "America/Los_Angeles"

NARROW_COLUMNS = {
    "row_id": "integer",
    "account_ref": "text",
    "campaign_id": "text",
    "campaign_name": "text",
    "ad_group": "text",
    "keyword": "text",
    "cost": "decimal",
    "revenue": "decimal",
    "impressions": "integer",
    "clicks": "integer",
    "conversions": "integer",
    "date": "date",
    "updated_at": "timestamp",
    "active": "boolean",
    "is_brand": "boolean",
}
XML_COLUMNS = {
    "InvoiceNumber": "text",
    "InvoiceDate": "date",
    "ShipmentNumber": "text",
    "PackageNumber": "text",
    "ProductCode": "text",
    "Product": "text",
    "Description": "text",
    "WeightKg": "decimal",
    "GrossPrice": "decimal",
    "Discount": "decimal",
    "AgreementPrice": "decimal",
    "CurrencyCode": "text",
    "SentFromPostalCode": "text",
    "SentToPostalCode": "text",
    "SentToCity": "text",
    "DELIVERY_COUNTRY": "text",
    "HandedInDate": "date",
    "InvoiceTriggeredDate": "date",
}


@dataclass(frozen=True)
class Sample:
    """A file with its columns: header to type."""

    path: Path
    columns: dict[str, str]
    zone: str = "UTC"

    @property
    def size(self) -> int:
        return self.path.stat().st_size


def _money(number):
    return f"{number // 100}.{number % 100:02d}"


def _narrow_row(i):
    day = f"2026-{1 + i % 12:02d}-{1 + i % 28:02d}"
    return (
        i,
        "acct-000123",
        f"cmp-{i % 5000:07d}",
        f"Campaign {i % 997:04d} \u2013 brand/generic",
        "AG-17",
        f"buy running shoes {i % 1009}",
        _money(i * 7919 % 1_000_003),
        _money(i * 104_729 % 9_999_991),
        i % 100_000,
        i % 1000,
        i % 10,
        day,
        f"{day} {i % 24:02d}:{i // 24 % 60:02d}:{i // 1440 % 60:02d}",
        "true" if i % 2 else "false",
        "true" if i % 3 else "false",
    )


def _wide_row(i, columns):
    row = []
    for place, (header, type_) in enumerate(columns.items()):
        if type_ == "decimal":
            row.append(_money((i * 7919 + place) % 1_000_003))
        elif type_.startswith("timestamp"):
            second = i * 37 + place
            row.append(
                f"2026-{1 + i % 12:02d}-{1 + i % 28:02d} {second % 24:02d}:{second // 24 % 60:02d}:{second % 60:02d}"
            )
        elif type_ == "boolean":
            row.append("true" if i % 7 else "false")
        elif type_ == "currency":
            row.append(("usd", "eur", "nok")[i % 3])
        elif place % 3 == 2:
            row.append("")  # a third of the text columns has no value in most rows
        else:
            row.append(f"{header[:8]}_{(i * 31 + place) % 100_003}")
    return row


def _written(path, write):
    """The file, made once: written aside, then moved in place."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".part")
        with aside.open("w", encoding="utf-8", newline="") as file:
            write(file)
        aside.replace(path)
    return path


def narrow(rows):
    def write(file):
        writer = csv.writer(file)
        writer.writerow(NARROW_COLUMNS)
        writer.writerows(map(_narrow_row, range(rows)))

    return Sample(_written(FOLDER / f"narrow_{rows}.csv", write), NARROW_COLUMNS)


def wide(rows):
    catalogue = json.loads((CATALOGUE / "stripe.json").read_text())
    headers = (*catalogue["report_types"][WIDE_TYPE]["columns"], *WIDE_METADATA)
    columns = {header: catalogue["types"].get(header, "text") for header in headers}

    def write(file):
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(_wide_row(i, columns) for i in range(rows))

    return Sample(_written(FOLDER / f"wide_with_currencies_{rows}.csv", write), columns, WIDE_ZONE)


def narrow_of_size(mib):
    """The same rows again and again, until the file is this big."""
    block = narrow(100_000)

    def write(file):
        body = block.path.read_text(encoding="utf-8")
        header, _, rows = body.partition("\n")
        file.write(header + "\n")
        for _ in range(-(-(mib << 20) // len(rows.encode()))):
            file.write(rows)

    return Sample(_written(FOLDER / f"narrow_{mib}mib.csv", write), NARROW_COLUMNS)


def lines(rows):
    def write(file):
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<Report xmlns="urn:bring.no/mybring/Report">\n')
        file.write(f"  <MetaData>\n    <NumberOfRows>{rows}</NumberOfRows>\n  </MetaData>\n  <Lines>\n")
        for i in range(rows):
            values = (
                f"70{i // 100}",
                f"{1 + i % 28:02d}.04.2026",
                f"7070061105{i}",
                f"37070061105{i}",
                "5800",
                "Pakke til bedrift",
                "Grunnpris &amp; till\u00e6gg" if i % 50 == 0 else "Grunnpris",
                f"{i % 30}.{i % 10}",
                _money(i * 7919 % 100_003),
                "0.00",
                _money(i * 7919 % 100_003),
                "NOK",
                "0150",
                "5020",
                "BERGEN",
                "NO",
                "24.04.2026",
                "25.04.2026",
            )
            fields = "".join(f"      <{tag}>{value}</{tag}>\n" for tag, value in zip(XML_COLUMNS, values, strict=True))
            file.write(f"    <Line>\n{fields}    </Line>\n")
        file.write("  </Lines>\n</Report>\n")

    return Sample(_written(FOLDER / f"lines_{rows}.xml", write), XML_COLUMNS, "Europe/Oslo")


def remove(sample):
    """For files too big to keep."""
    os.unlink(sample.path)  # noqa: PTH108
