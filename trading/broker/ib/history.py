"""What a refusal of history means: one code says "no data", "no permission" and "too fast". Pure."""

from enum import StrEnum
from typing import Final

_HISTORY: Final = 162
_NOT_SUBSCRIBED: Final = (354, 10089, 10090, 10168, 10186, 10187)  # ib_wire.md 3.3


class HistoryRefusal(StrEnum):
    """Why there are no bars."""

    EMPTY = "empty"  # the broker looked, and has none
    NO_PERMISSION = "no permission"
    ERROR = "error"


def refusal(code: int | None, text: str) -> HistoryRefusal:
    """The meaning of an error in answer to a request for history."""
    said = text.lower()
    if code == _HISTORY and ("no data" in said or "no historical data" in said):
        return HistoryRefusal.EMPTY
    if code in _NOT_SUBSCRIBED or (code == _HISTORY and "permission" in said):
        return HistoryRefusal.NO_PERMISSION
    return HistoryRefusal.ERROR
