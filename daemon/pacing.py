"""Messages a second to the broker: everybody waits for his turn here, so that nothing piles up without an order."""

import asyncio
from dataclasses import dataclass
from typing import Final

from daemon.turn_queue import TurnQueue, Urgency
from trading.clock import Clock

_SLOWEST_GAP_S: Final = 1.0


@dataclass(frozen=True, eq=False)
class _Waiting:
    turn: "asyncio.Future[None]"
    messages: int


class Pacing:
    """At most `per_s` messages a second, evenly spaced; who comes next is the queue's decision."""

    def __init__(self, per_s: float, clock: Clock) -> None:
        self._gap_s = 1 / per_s
        self._clock = clock
        self._free_s = 0.0  # when the next message may go
        self._queue: TurnQueue[_Waiting] = TurnQueue()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def per_s(self) -> float:
        """Messages a second at most."""
        return 1 / self._gap_s

    def slow_down(self) -> None:
        """The broker has complained: half as many from now on, but one a second whatever it says."""
        self._gap_s = min(2 * self._gap_s, max(self._gap_s, _SLOWEST_GAP_S))

    async def turn(self, urgency: Urgency = Urgency.QUESTION, asker: str = "", messages: int = 1) -> None:
        """Return when `asker` may send `messages` messages."""
        waiting = _Waiting(asyncio.get_running_loop().create_future(), messages)
        self._queue.put(urgency, asker, waiting)
        if self._timer is None and self._wait_s() <= 0:
            self._serve(self._clock.monotonic_s())
        self._arrange()
        await waiting.turn

    def _wait_s(self) -> float:
        return self._free_s - self._clock.monotonic_s()

    def _arrange(self) -> None:
        if self._timer is None and self._queue:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, self._wait_s()), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._serve(max(self._free_s, self._clock.monotonic_s() - self._gap_s))  # a late timer is made up for
        self._arrange()

    def _serve(self, begun_s: float) -> None:
        """Give one turn, as if at `begun_s`; whoever has gone meanwhile needs none."""
        while (waiting := self._queue.next()) is not None:
            if not waiting.turn.done():
                self._free_s = begun_s + self._gap_s * waiting.messages
                waiting.turn.set_result(None)
                return
