"""At most so many messages in any second; the gateway hangs up on a client that sends more (ib_wire.md 3.5)."""

from collections import deque
from typing import Final

MESSAGES_A_SECOND: Final = 50


class RateLimit:
    """Counts the messages of one client over a sliding second."""

    def __init__(self) -> None:
        self._times: Final[deque[float]] = deque()

    def is_exceeded(self, at_s: float) -> bool:
        """Count one message at `at_s` (monotonic seconds); is it one too many?"""
        self._times.append(at_s)
        while self._times[0] <= at_s - 1.0:
            self._times.popleft()
        return len(self._times) > MESSAGES_A_SECOND
