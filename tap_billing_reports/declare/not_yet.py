"""How a vendor says that what was asked for is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from tap_billing_reports.core.errors import NotYet, Unreadable
from tap_billing_reports.declare.paths import value_at

if TYPE_CHECKING:
    from collections.abc import Collection

    from tap_billing_reports.core.errors import Refused
    from tap_billing_reports.http.responses import Answer

NO_DATA_YET: Final = "the vendor does not have its data yet"


@dataclass(frozen=True)
class NotYetWhen:
    """The answers that say so: any of them.

    What they do not cover, a function that reads an answer says by raising `NotYet` itself.

    Attributes:
        statuses: HTTP statuses, where the body is the vendor's own form of an error: a proxy's page says nothing.
        codes: the vendor's error codes.
        flag: where the body of a success says it by `true` (keys joined by a dot). Any other value but `false` and
            null is refused: nobody knows what it says.
        always_says: every such body has the flag, as true or false. One that has lost it says nothing, and is refused:
            what is not all there would be taken for whole. False: a body without it is whole.
        believed_for: how long after the end of a period. A wrong address answers so, too, and for ever: after that
            it is a failure.
    """

    statuses: Collection[int] = ()
    codes: Collection[str] = ()
    flag: str = ""
    always_says: bool = False
    believed_for: timedelta = timedelta(days=7)

    def __post_init__(self) -> None:
        if not (self.statuses or self.codes or self.flag):
            raise ValueError("NotYetWhen: it names no answer")
        if self.always_says and not self.flag:
            raise ValueError("NotYetWhen: always_says speaks of a flag, and none is named")

    def raise_for(self, error: Refused) -> None:
        """Raises NotYet where a refusal says it."""
        if error.is_vendors_word and (error.status in self.statuses or (error.code and error.code in self.codes)):
            raise NotYet(NO_DATA_YET, about=error.about) from None

    def raise_in(self, answer: Answer) -> None:
        """Raises NotYet where the body of a success says it, Unreadable where it may not be taken for whole."""
        if not self.flag or answer.is_xml:
            return
        said = value_at(answer.json(), self.flag)
        if said is True:
            raise NotYet(NO_DATA_YET, about=answer.about)
        if said is not False and (said is not None or self.always_says):
            raise Unreadable(f"does not say at {self.flag} whether its data are all there", about=answer.about)
