"""The settings of a source: flat, each with its JSON Schema; the schemas that several sources share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tap_billing_reports.declare.cadence import Unit

Values = Mapping[str, Any]
"""The tap's settings, flat, validated, with defaults filled in."""

_T = TypeVar("_T")

FromSettings = str | Callable[[Values], _T]
"""The name of a setting, for what it says; or a function of all of them."""

Schema = Mapping[str, Any]
"""A JSON Schema."""


@dataclass(frozen=True)
class Setting:
    """One flat setting. A source is on when any of its required settings is non-empty; then all must be there."""

    name: str
    description: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    required: bool = False
    secret: bool = False
    default: Any = None
    suggested: Any = None
    """What `billing-reports init` proposes to write down, where there is something to propose."""


def settings_of(vendor: str, *settings: Setting) -> tuple[Setting, ...]:
    """The settings with the vendor's name in front of each description: they stand beside those of other vendors."""
    return tuple(replace(setting, description=f"{vendor}: {setting.description}") for setting in settings)


def value_of(what: FromSettings[_T], values: Values) -> _T:
    """What the settings say."""
    if isinstance(what, str):
        found: _T = values[what]
        return found
    return what(values)


class Noted(Mapping[str, Any]):
    """The settings, and which of them a function of the declaration looks at."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self.names: list[str] = []

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            self.names.append(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


TEXT: Schema = {"type": "string", "minLength": 1}
TEXTS: Schema = {"type": "array", "items": TEXT}
FLAG: Schema = {"type": "boolean"}
DAYS: Schema = {"type": "integer", "minimum": 0}
COUNT: Schema = {"type": "integer", "minimum": 1}

# With the source's name in front it is a stream's name, and fits PostgreSQL's 63 characters.
REPORT_NAME = r"^[a-z][a-z0-9_]{0,46}$"


def parameters_schema(*taken: str) -> Schema:
    """The schema of free run parameters: texts, whole numbers, booleans, lists of texts; none that others set.

    Args:
        taken: the names that other keys of the entry set.
    """
    return {
        "type": "object",
        "propertyNames": {
            "pattern": f"^(?!({'|'.join(taken)})$)",
            "description": f"parameters without a key of their own; {', '.join(taken)} have one.",
        },
        "additionalProperties": {"type": ["string", "integer", "boolean", "array"], "items": TEXT},
    }


def reports_schema(report_type: str, windows: Iterable[Unit], **more: Schema) -> Schema:
    """The schema of a setting that lists reports, each an entry for `Report.of`.

    Args:
        report_type: the pattern of the vendor's type names.
        windows: the windows that the vendor's runs can cover.
        more: what this vendor's entries take beside the keys that all have.
    """
    properties = {
        "report_type": {"type": "string", "pattern": report_type},
        "name": {"type": "string", "pattern": REPORT_NAME},
        "window": {"type": "string", "enum": [*windows]},
        "optional": FLAG,
        **more,
    }
    entry = {"type": "object", "required": ["report_type"], "additionalProperties": False, "properties": properties}
    return {"type": "array", "items": entry}
