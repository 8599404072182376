"""Values out of nested records, paths of endpoints, XML elements as records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tap_billing_reports.core.errors import AccountError, DeclarationError, Unreadable

if TYPE_CHECKING:
    from lxml import etree

_names_of = re.compile(r"\{(\w+)\}").findall


def fill(path: str, names: Mapping[str, str]) -> str:
    """The path with its names filled in, percent-encoded; a value cannot leave its segment.

    Raises:
        AccountError: a value is no segment of a path.
        DeclarationError: a name has no value.
    """
    for name, value in names.items():
        if value in {"", ".", ".."}:
            raise AccountError(f"{value!r} is not a valid {name} for {path}: correct that id where it comes from")
        path = path.replace("{" + name + "}", quote(value, safe=""))
    if left := names_in(path):
        raise DeclarationError(f"nothing fills {', '.join(left)} in the path {path}")
    return path


def names_in(path: str) -> list[str]:
    """The names in a path that are to be filled in. What has been filled in holds no braces."""
    return _names_of(path)


def tree(element: etree._Element) -> Any:
    """An XML element as nested dicts of text: no child -> its text or None, repeated children -> a list.

    Raises:
        Unreadable: text stands beside elements; none of the forms that vendors describe has that.
    """
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        text = (element.text or "").strip()
        return text or None
    if (element.text or "").strip() or any((child.tail or "").strip() for child in children):
        raise Unreadable(f"text stands beside the elements of {local_name(element)}: the vendor's format has changed")
    result: dict[str, Any] = {}
    for child in children:
        name = local_name(child)
        value = tree(child)
        if name not in result:
            result[name] = value
        elif isinstance(result[name], list):
            result[name].append(value)
        else:
            result[name] = [result[name], value]
    return result


def local_name(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def path_slip(path: str) -> str:
    """Why a text leads nowhere in a record, such as JSONPath does; empty where it may lead somewhere."""
    keys = path.split(".")
    if path.startswith("/") or keys[0] == "$" or "" in keys or any(key != key.strip() or "[" in key for key in keys):
        return f"{path!r} is no path: keys are joined by a dot, as in `paging.next`"
    return ""


def value_at(record: Any, path: str) -> Any:
    """The value at a dotted path, or None where any part of it is missing."""
    value: Any = record
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
