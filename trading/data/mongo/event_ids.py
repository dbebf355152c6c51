"""Ids of events that sort as the events happened: a ULID each, and within one millisecond still one after the other."""

import threading

from ulid import ULID


class EventIds:
    """One source a process."""

    def __init__(self) -> None:
        self._last = 0
        self._one_at_a_time = threading.Lock()

    def next(self) -> str:
        """Greater than every id before, whatever the clock does."""
        with self._one_at_a_time:
            self._last = max(int(ULID()), self._last + 1)
            return str(ULID.from_int(self._last))
