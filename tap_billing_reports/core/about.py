"""Whose data a message is about, as facts that the message is written from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """What a failure or an answer belongs to; its text is how a message begins.

    Attributes:
        source: the source's name.
        account: the account whose data were asked for, else the one that the credentials belong to.
        call: the method and the URL without its query, which may hold a key; empty where no single call failed.
    """

    source: str
    account: str
    call: str = ""

    def __str__(self) -> str:
        whose = f"{self.source} account {self.account}"
        return f"{whose}: {self.call}" if self.call else whose
