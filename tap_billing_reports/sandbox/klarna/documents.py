"""The files of a payout: CSV with its totals before its rows, and a PDF of one page.

The form of the CSV is not in the API's description; sections, semicolons and major units are as merchants report them.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .books import Payout

_FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
_COLUMNS = ("order_id", "short_order_id", "capture_id", "merchant_reference1", "sale_date", "capture_date")


def payout_csv(payout: Payout) -> bytes:
    """Two tables, an empty line between them."""
    text = io.StringIO()
    table = csv.writer(text, delimiter=";", lineterminator="\r\n")
    table.writerow(["payment_reference", "settlement_currency", *(f"total_{name}" for name in payout.totals)])
    table.writerow([payout.reference, payout.currency, *map(_major, payout.totals.values())])
    table.writerow([])
    table.writerow(["type", "detailed_type", "amount", "vat_amount", *_COLUMNS])
    for row in payout.rows:
        facts = [row.facts.get(name, "") for name in _COLUMNS]
        table.writerow([row.kind, row.detailed, _major(row.amount), _major(row.vat), *facts])
    return text.getvalue().encode()


def payout_pdf(payout: Payout) -> bytes:
    """A page that names the payout and what was paid."""
    line = f"{payout.reference} {_major(payout.totals['settlement_amount'])} {payout.currency}"
    drawn = f"BT /F1 12 Tf 72 720 Td ({line}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % _FONT,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
    )
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def _major(minor: int) -> str:
    return str(Decimal(minor).scaleb(-2))
