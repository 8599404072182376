"""The JSON Schema of each stream."""

from __future__ import annotations

import json
from typing import Any

from tap_billing_reports.core.schema_files import schema_text


def stream_schema(stream: str) -> dict[str, Any]:
    """A fresh copy of a stream's JSON Schema."""
    schema: dict[str, Any] = json.loads(schema_text(stream))
    return schema
