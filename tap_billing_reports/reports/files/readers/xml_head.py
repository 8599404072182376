"""What an XML report says of itself, from its first bytes alone."""

from __future__ import annotations

from typing import Any

from lxml import etree


def metadata_in(head: bytes, tag: str) -> dict[str, str]:
    """Name to text, as `XmlReader.metadata` has it; nothing where the element is not whole within these bytes.

    Whether the file can be trusted is for its reader to say: what cannot be read here says nothing.
    """
    parser = etree.XMLPullParser(
        events=("end",), tag=f"{{*}}{tag}", no_network=True, load_dtd=False, resolve_entities=False, huge_tree=False
    )
    found: dict[str, str] = {}
    try:
        parser.feed(head)
        events: Any = parser.read_events()
        for _event, element in events:
            found = told(element)
    except etree.XMLSyntaxError:
        return found
    return found


def told(metadata: Any) -> dict[str, str]:
    """The element's texts by name; of what is within another element, both names, joined by a slash."""
    texts: dict[str, str] = {}
    for element in metadata.iterfind("{*}*"):
        name = etree.QName(element).localname
        if not len(element):
            texts[name] = (element.text or "").strip()
        for inner in element.iterfind("{*}*"):
            texts[f"{name}/{etree.QName(inner).localname}"] = (inner.text or "").strip()
    return texts
