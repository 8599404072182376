"""An invoice's PDF on its way from the vendor to where it is kept, with a note beside it of what it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tap_billing_reports.core.about import About
from tap_billing_reports.core.dates import utc_text
from tap_billing_reports.core.errors import AbsenceUnproven, FileError, NotFound, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tap_billing_reports.singer.invoices.reader import Brief, Documents
    from tap_billing_reports.storage.files import Storage

# A transfer that was cut without a sign is worth repeating.
TRIES = 3
_HEAD, _TAIL_BYTES = b"%PDF-", 1024


@dataclass(frozen=True)
class Kept:
    """A kept document: its address, its length in bytes, its SHA-256 in hex, when it came (UTC)."""

    uri: str
    size: int
    sha256: str
    content_type: str
    fetched_at: str


class DocumentStore:
    """PDFs below `documents/` of the storage, one a billed account and invoice.

    Args:
        storage: where to. folder: for what is on its way; this user's alone, removed by its owner.
    """

    def __init__(self, storage: Storage, folder: Path) -> None:
        self._storage = storage
        self._passing = folder / "document.pdf"

    def sizes(self, source: str, billed: str) -> dict[str, int]:
        """The kept files of an account: path -> bytes."""
        return self._storage.sizes("documents", source, billed)

    def path(self, source: str, brief: Brief) -> str:
        """Where an invoice's PDF is kept."""
        return self._storage.path("documents", source, brief.account_id, brief.invoice_id) + ".pdf"

    def find(self, source: str, brief: Brief) -> Kept | None:
        """The PDF that an earlier sync has kept, if it still is what its note says."""
        path = self.path(source, brief)
        try:
            kept = Kept(**(self._storage.read_json(_note_of(path)) or {}))
        except TypeError:
            return None
        same = self._storage.fetch(path, self._passing, size=kept.size, sha256=kept.sha256)
        return kept if same else None

    def fetch(self, documents: Documents, brief: Brief) -> Kept:
        """Get the PDF from the vendor and keep it, whole or not at all.

        Raises:
            FileError: what came is no PDF. Unavailable: it broke off each time, or as `HttpClient.download`.
            NotFound: the vendor says that there is none. AbsenceUnproven: a 404 or 410 that is not the vendor's word.
            Refused: as `HttpClient.download`. SyncError: it cannot be kept.
        """
        client, source, wanted = documents.client, documents.source, documents.request(brief)
        for _ in range(TRIES):
            try:
                with self._passing.open("wb") as file:
                    got = client.http.download(wanted, file)
            except NotFound as error:
                if documents.api.document_missing(error):
                    raise
                raise AbsenceUnproven(f"{error}: no proof that it is gone") from None
            if self._is_whole():
                break
        else:
            raise Unavailable("the PDF ends before its end mark", about=About(source, documents.account.account_id))
        path = self.path(source, brief)
        self._storage.keep(self._passing, path)
        fetched_at = utc_text(client.clock.now().replace(microsecond=0))
        kept = Kept(self._storage.uri(path), got.size, got.sha256, got.content_type, fetched_at)
        # After the file: a note without its file would be worthless, a file without a note is fetched again.
        self._storage.write_json(_note_of(path), asdict(kept))
        return kept

    def _is_whole(self) -> bool:
        """Whether the end is there; FileError for what does not even begin as a PDF."""
        with self._passing.open("rb") as file:
            if file.read(len(_HEAD)) != _HEAD:
                raise FileError("what came is no PDF")
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            return b"%%EOF" in file.read()


def _note_of(path: str) -> str:
    return f"{path}.json"
