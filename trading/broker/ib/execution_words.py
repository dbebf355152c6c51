"""The broker's own words for when an execution was, kept while the library decodes the message.

The library throws the whole fill away when it does not know the name of a zone, and guesses where there is none
(ib_wire.md 1.4, L11). So it gets a time that it can always read, and ours is made of the words.
"""

from typing import Any, Final

_EXECUTION: Final = 11
_TIME_AT: Final = 15  # among the fields of execDetails (ib_wire.md 2.4)
_READABLE: Final = "19700101-00:00:00"


class ExecutionWords:
    """Stands before the decoder of one connection; `newest` belongs to the execution that is being told."""

    def __init__(self, decoder: Any) -> None:
        self.newest = ""
        self._decode = decoder.handlers[_EXECUTION]
        decoder.handlers[_EXECUTION] = self._noted

    def _noted(self, fields: list[str]) -> None:
        self.newest = fields[_TIME_AT]
        self._decode([*fields[:_TIME_AT], _READABLE, *fields[_TIME_AT + 1:]])
