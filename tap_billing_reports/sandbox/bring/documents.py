"""Files as bytes, the same for the same input: report XML as a stream, a workbook, an invoice as PDF."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .content import interval_bounds
from .lines import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .content import Content
    from .ledger import Customer, Invoice
    from .lines import Family, Line

MYBRING = "https://www.mybring.com"
CHUNK = 1 << 18  # bytes sent at once: few wake-ups, flat memory
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
DOS_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Sheet:
    """One finished report, ready to be written in any format.

    Attributes:
        title: its name in the reader's language.
        finished: when the run was done, with Oslo's offset.
        repeats: how often each line stands in the file; all but the first carry no money, so that sums hold.
        rows: what the file says of its number of rows.
    """

    content: Content
    customer: Customer
    title: str
    finished: datetime
    repeats: int
    rows: int


def report_xml(sheet: Sheet) -> Iterator[bytes]:
    """The report in chunks of about 256 KiB, however long it is."""
    buffer = [_head(sheet)]
    size = 0
    for line in sheet.content.lines:
        text = _line(line, sheet.content.family)
        buffer.append(text)
        size += len(text)
        if sheet.repeats > 1 and not is_blank(line):
            spare = _line(_without_money(line), sheet.content.family)
            block, left = max(1, CHUNK // len(spare)), sheet.repeats - 1
            while left:
                count = min(block, left)
                buffer.append(spare * count)
                size += len(spare) * count
                left -= count
                if size >= CHUNK:
                    yield "".join(buffer).encode()
                    buffer, size = [], 0
        if size >= CHUNK:
            yield "".join(buffer).encode()
            buffer, size = [], 0
    buffer.append("  </Lines>\n</Report>\n")
    yield "".join(buffer).encode()


def _head(sheet: Sheet) -> str:
    content = sheet.content
    fields: list[tuple[str, str]] = [
        ("CustomerId", sheet.customer.number),
        ("CustomerName", sheet.customer.name),
    ]
    tail = [("NumberOfRows", str(sheet.rows))]
    if content.invoice is not None:
        fields.append(("InvoiceNumber", content.invoice.number))
        place = f"{sheet.customer.number}/{content.invoice.number}.html"
        link = f"{MYBRING}/invoicearchive/invoice/attachmentsRedirect/{place}"
        tail += [
            ("InvoiceSource", content.invoice.source),
            ("AttachmentCount", f"Number of attachment(s):{content.invoice.attachments}"),
            ("AttachmentUrl", f"Invoices in Mybring.{link}"),
        ]
    return "".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            '<Report xmlns="urn:bring.no/mybring/Report">\n  <MetaData>\n',
            f"    <ReportName>{escape(sheet.title)}</ReportName>\n",
            f'    <FinishedAt type="iso8601">{_instant(sheet.finished)}</FinishedAt>\n',
            *(f"    <{tag}>{escape(text)}</{tag}>\n" for tag, text in fields),
            _interval(content),
            *(f"    <{tag}>{escape(text)}</{tag}>\n" for tag, text in tail),
            "  </MetaData>\n  <Lines>\n",
        ]
    )


def _interval(content: Content) -> str:
    if content.interval is None:
        return ""
    start, end = map(_instant, interval_bounds(content.interval))
    return (
        f'    <Interval>\n      <Start type="iso8601">{start}</Start>\n'
        f'      <End type="iso8601">{end}</End>\n    </Interval>\n'
    )


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _line(line: Line, family: Family) -> str:
    cells = (
        f"      <{tag}>{family.spell(value) if isinstance(value, Decimal) else escape(value)}</{tag}>\n"
        for tag, value in line.items()
    )
    return f"    <Line>\n{''.join(cells)}    </Line>\n"


def _without_money(line: Line) -> Line:
    return {tag: Decimal(0) if isinstance(value, Decimal) else value for tag, value in line.items()}


def report_xlsx(sheet: Sheet) -> bytes:
    """A workbook of one sheet that names the report and its number of rows."""
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{escape(text)}</t></is></c></row>'
        for n, text in enumerate((sheet.title, sheet.customer.name, str(sheet.rows)), start=1)
    )
    parts = {
        "[Content_Types].xml": (
            f'<Types xmlns="{PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-'
            'package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{SPREADSHEET}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SPREADSHEET}.worksheet+xml"/>'
            "</Types>"
        ),
        "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{DOCUMENT}">'
            '<sheets><sheet name="Report" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            archive.writestr(zipfile.ZipInfo(name, DOS_EPOCH), head + text)
    return target.getvalue()


def _relation(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{DOCUMENT}/{kind}" Target="{target}"/></Relationships>'
    )


def invoice_pdf(invoice: Invoice) -> bytes:
    """One page that names the invoice and its total."""
    text = f"{invoice.type} {invoice.number}  {invoice.day.isoformat()}  {invoice.total:.2f} {invoice.currency}"
    stream = f"BT /F1 14 Tf 60 760 Td ({text}) Tj ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Font << /F1 5 0 R >> >>",
    )
    body, offsets = b"%PDF-1.4\n", []
    for n, item in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (n, item)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer
