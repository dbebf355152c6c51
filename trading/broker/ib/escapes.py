"""Text of the broker that is not ASCII arrives escaped, and the library leaves it so in most places. Pure."""

import re
from typing import Final

_ESCAPE: Final = re.compile(r"((?:\\u[0-9a-fA-F]{4})+)")


def unescaped(text: str) -> str:
    """`text` with each \\uXXXX as the character that it means; a pair of surrogates is one."""
    return _ESCAPE.sub(lambda found: _characters(found[1]), text)


def _characters(escapes: str) -> str:
    units = b"".join(int(unit, 16).to_bytes(2, "big") for unit in escapes.split("\\u")[1:])
    return units.decode("utf-16-be", errors="replace")
