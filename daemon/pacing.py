"""Messages a second to the broker: everybody waits for his turn, in order, so that nothing piles up elsewhere."""

import asyncio

from trading.clock import Clock


class Pacing:
    """At most `per_s` turns a second, evenly spaced."""

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._gap_s = 1 / per_s
        self._clock = clock
        self._next_s = 0.0

    async def turn(self) -> None:
        """Return when it is the caller's turn."""
        now_s = self._clock.monotonic_s()
        mine_s = max(now_s, self._next_s)
        self._next_s = mine_s + self._gap_s
        if mine_s > now_s:
            await asyncio.sleep(mine_s - now_s)
