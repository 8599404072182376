"""XML reports: a flat list of lines, each with one child a field, and perhaps what the file tells of itself beside.

lxml parses the file piece by piece into a tree from which finished lines are taken out again, so memory stays
flat. libxml2's own limits on depth and on the size of a text stay on, entities are never resolved, and a
document type is refused.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from tap_billing_reports.core.columns import common_header
from tap_billing_reports.core.errors import FileError
from tap_billing_reports.reports.files.readers.table import (
    CellFault,
    Source,
    Table,
    TableReader,
    after_marks,
    check_size,
    opened,
)
from tap_billing_reports.reports.files.readers.xml_head import told
from tap_billing_reports.reports.files.readers.xml_lines import LineFault, Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from tap_billing_reports.core.columns import DecimalsAs
    from tap_billing_reports.declare import XmlForm
    from tap_billing_reports.reports.files.readers import Resolve, RowChunk

BLOCK: Final = 96 << 10  # bytes
MAX_LINE: Final = 16 << 20  # bytes: of one line, and of everything before the first and after the last


class XmlReader(TableReader):
    """Reads one XML file; see `Reader` for the contract.

    Args:
        source: a path, or a seekable binary file.
        resolve: called with the names of the fields, without their namespace, in the order in which they
            were first met; again, with the names met since at the end, before the first row with a new one.
        size: the bytes that the vendor declared, if it did; a file of any other size is refused at once.
        zone: IANA name of the zone of `timestamp` columns.
        sum_of: names of the columns to add up.
        decimals_as: `number` gives decimals as Decimal instead of text.
        form: the names of the file's elements, and how it counts its lines.
        common: name -> fields of which the first with text fills a further column; `resolve` is asked for it as
            `common_header(name)`, once the file has one of the fields. `header` does not hold it.
        block: about how many bytes of the file become one chunk.
        judge: called with what the file says of itself, before the first row and after the last; raises FileError.

    Raises:
        FileError: the size is wrong.
    """

    def __init__(
        self,
        source: Source,
        *,
        form: XmlForm,
        resolve: Resolve,
        size: int | None = None,
        zone: str = "UTC",
        sum_of: Collection[str] = (),
        decimals_as: DecimalsAs = "string",
        common: Mapping[str, Sequence[str]] = MappingProxyType({}),
        block: int = BLOCK,
        judge: Callable[[Mapping[str, str]], None] = lambda _metadata: None,
    ) -> None:
        if size is not None:
            check_size(source, size)
        self._source = source
        super().__init__(Table(resolve=resolve, zone=zone, decimals_as=decimals_as, sum_of=sum_of))
        self._form = form
        self._common = common
        self._merged: list[list[int]] = []  # the places of each common column's fields in the header
        self._block = block
        self._judge = judge

    def chunks(
        self, selected: Collection[str] | None = None, constants: Mapping[str, Any] | None = None
    ) -> Iterator[RowChunk]:
        self._table.start(constants)
        self.header, self.blank_lines, self.declared_rows = (), 0, None
        lines = Lines(self._form.line)
        tree = _GrowingTree(self._form.lines)
        with opened(self._source) as stream:
            for finished in tree.grow(stream, self._block):
                if not self.rows:
                    self._judge(self._said(tree.container.getroottree().getroot()))
                yield from self._chunks_of(tree.container, finished, lines, selected)
        if (tree.container.text or "").strip():
            # Without a single line nobody has looked at it yet.
            raise FileError("text outside the lines", line=tree.container.sourceline)
        self._read_metadata(tree.container.getroottree().getroot())
        counted = self._form.counted(self.rows, self.blank_lines, self.declared_rows)
        if self.declared_rows is not None and self.declared_rows != counted:
            blank = f" and {self.blank_lines} blank lines" if self.blank_lines else ""
            raise FileError(f"the file has {self.rows} rows{blank} where it declares {self.declared_rows}")

    def _chunks_of(
        self, container: Any, finished: int, lines: Lines, selected: Collection[str] | None
    ) -> Iterator[RowChunk]:
        """The rows of the container's first children."""
        try:
            for block in lines.read(container, finished):
                if block.header is not self.header:
                    self.header = block.header
                    self._table.resolve((*block.header, *self._merge(block.header)))
                    self._table.select(selected)
                merged = [_first_texts([block.cells[place] for place in places]) for places in self._merged]
                try:
                    chunk = self._table.convert([*block.cells, *merged], len(block.elements))
                except CellFault as fault:
                    raise LineFault(str(fault), container[block.elements[fault.row]]) from None
                yield chunk
        except LineFault as fault:
            raise FileError(str(fault), line=fault.line) from None
        self.blank_lines = lines.blank

    def _merge(self, header: tuple[str, ...]) -> list[str]:
        """The headers of the common columns that these fields fill."""
        here = {field: place for place, field in enumerate(header)}
        found = {name: [here[field] for field in fields if field in here] for name, fields in self._common.items()}
        self._merged = [places for places in found.values() if places]
        return [common_header(name) for name, places in found.items() if places]

    def _said(self, root: Any) -> dict[str, str]:
        """What the file says of itself so far."""
        metadata: dict[str, str] = {}
        rows_tag = self._form.rows
        for element in root.iterfind(f"{{*}}{self._form.metadata}") if self._form.metadata else ():
            counts = element.findall(f"{{*}}{rows_tag}") if rows_tag else []
            if len(counts) > 1 or (counts and rows_tag in metadata):
                raise FileError(f"{rows_tag} is declared more than once", line=counts[-1].sourceline)
            metadata |= told(element)
        return metadata

    def _read_metadata(self, root: Any) -> None:
        """What the file says about itself, wherever it stands; FileError for a row count that is none."""
        metadata = self._said(root)
        self._judge(metadata)
        declared = metadata.get(self._form.rows, "") if self._form.rows else ""
        if declared and not (declared.isascii() and declared.isdecimal() and len(declared) <= 18):
            raise FileError(f"{self._form.rows} is not a number of rows")
        self.declared_rows = int(declared) if declared else None
        self.metadata = metadata


def _first_texts(columns: Sequence[Sequence[str]]) -> Sequence[str]:
    """Of each row the first cell that is not blank."""
    if len(columns) == 1:
        return columns[0]
    return [next((cell for cell in row if cell.strip()), "") for row in zip(*columns, strict=True)]


class _GrowingTree:
    """A document whose tree is parsed on one end and taken apart on the other.

    Attributes:
        container: the element that holds the lines, once it has begun.
    """

    def __init__(self, lines_tag: str) -> None:
        self.container: Any = None
        self._closed = False
        self._parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=f"{{*}}{lines_tag}",
            no_network=True,
            load_dtd=False,
            resolve_entities=False,
            huge_tree=False,
            collect_ids=False,
            remove_blank_text=True,
            remove_comments=True,
            remove_pis=True,
        )
        self._lines_tag = lines_tag

    def grow(self, stream: BinaryIO, block: int) -> Iterator[int]:
        """Yields how many of the container's first children are finished; they are removed thereafter.

        FileError for anything that is not well-formed XML with exactly one container, or has no end.
        """
        after_marks(stream)
        idle, rest = 0, b""
        while True:
            data = stream.read(block)
            # Fed up to the end of a tag, blanks between tags are never split, and so always recognised.
            piece = rest + data
            cut = piece.rfind(b">") + 1 if data else len(piece)
            rest = piece[cut:]
            self._feed(piece[:cut], final=not data)
            if self.container is not None:
                # The last child may still be growing, and libxml2 writes to what stands last: leave it alone.
                finished = len(self.container) - (not self._closed)
                if finished > 0:
                    idle = 0
                    yield finished
                    del self.container[:finished]
            if not data:
                return
            idle += len(data)
            if idle > MAX_LINE:
                raise FileError(f"more than {MAX_LINE >> 20} MiB without a finished line")

    def _feed(self, data: bytes, *, final: bool) -> None:
        failed: int | None = None
        try:
            if data:
                self._parser.feed(data)
            if final:
                self._parser.close()
        except etree.XMLSyntaxError as error:
            failed = error.lineno or 0
        # Not every fault raises at once: after some, lxml would take what is fed next for a new document. The
        # log has all of them, and the first one's true place. Its text may quote the file and is not passed on.
        log: Any = self._parser.feed_error_log
        faults = [entry.line for entry in log if entry.level >= etree.ErrorLevels.ERROR]
        if faults or failed is not None:
            line = faults[0] if faults else failed
            raise FileError("not well-formed XML, or cut off", line=line or None)
        events: Iterator[tuple[str, Any]] = self._parser.read_events()
        for event, element in events:
            if event == "end":
                self._closed = element is self.container
            elif self.container is not None:
                raise FileError(f"more than one {self._lines_tag}", line=element.sourceline)
            else:
                self.container = element
                if element.getroottree().docinfo.internalDTD is not None:
                    raise FileError("a document type is declared", line=1)
        if final and self.container is None:
            raise FileError(f"no {self._lines_tag} in the file")
