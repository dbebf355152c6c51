"""Counts the messages of a client: the gateway hangs up on one that sends too many (ib_wire.md 3.5)."""

from collections import deque
from typing import Final


class RateLimit:
    """The messages of one client over a sliding second."""

    def __init__(self) -> None:
        self._times: Final[deque[float]] = deque()

    def counted(self, at_s: float) -> int:
        """Count one message at `at_s` (monotonic seconds); how many there were in the second that ends there."""
        self._times.append(at_s)
        while self._times[0] <= at_s - 1.0:
            self._times.popleft()
        return len(self._times)
