"""Values as compact JSON text, decimals with all their digits."""

from __future__ import annotations

from typing import Any

import simplejson


def to_json(value: Any) -> str:
    """Compact JSON text; Decimals keep their digits as numbers."""
    text: str = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return text
