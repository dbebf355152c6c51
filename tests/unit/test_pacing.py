"""Turns to speak to the broker: in order and evenly spaced, on a clock of our own and with an event loop that jumps."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from selectors import SelectSelector
from typing import Any

import pytest

from daemon.pacing import Pacing


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits: when nobody is ready its time jumps to the next timer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        super().__init__(_NeverWaits(self))

    def time(self) -> float:
        return self.seconds


class _NeverWaits(SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self._loop.seconds += timeout
        return super().select(0)


@dataclass
class LoopClock:
    """The loop's time."""

    loop: JumpingLoop

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.loop.seconds, UTC)

    def monotonic_s(self) -> float:
        return self.loop.seconds


def play(story: Callable[[Pacing, JumpingLoop], Awaitable[None]], per_s: float = 10.0) -> None:
    loop = JumpingLoop()
    try:
        loop.run_until_complete(story(Pacing(per_s, LoopClock(loop)), loop))  # type: ignore[arg-type]
    finally:
        loop.close()


def test_the_first_turn_comes_at_once() -> None:
    async def story(pacing: Pacing, loop: JumpingLoop) -> None:
        await pacing.turn()
        assert loop.seconds == 0
    play(story)


def test_many_who_come_at_once_are_served_in_order_and_evenly() -> None:
    async def story(pacing: Pacing, loop: JumpingLoop) -> None:
        served: list[tuple[int, float]] = []

        async def speaker(number: int) -> None:
            await pacing.turn()
            served.append((number, loop.seconds))

        await asyncio.gather(*(speaker(number) for number in range(5)))
        assert [number for number, _ in served] == [0, 1, 2, 3, 4]
        assert [at for _, at in served] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=1e-3)
    play(story)


def test_a_silence_is_not_saved_up() -> None:
    async def story(pacing: Pacing, loop: JumpingLoop) -> None:
        await pacing.turn()
        await asyncio.sleep(60)
        begun = loop.seconds
        for _ in range(11):
            await pacing.turn()
        assert loop.seconds - begun == pytest.approx(1.0, abs=1e-3)
    play(story)


def test_whoever_comes_late_enough_does_not_wait() -> None:
    async def story(pacing: Pacing, loop: JumpingLoop) -> None:
        for _ in range(5):
            await pacing.turn()
            before = loop.seconds
            await asyncio.sleep(0.2)
        assert loop.seconds == pytest.approx(before + 0.2)
    play(story)
