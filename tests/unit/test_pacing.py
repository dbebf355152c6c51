"""Turns to speak to the broker: evenly spaced, cancels first, nobody before his turn; with an event loop that jumps."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from selectors import SelectSelector
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.pacing import Pacing
from daemon.turn_queue import TurnQueue, Urgency


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


async def queued(pacing: Pacing, served: list[str], *wanted: tuple[Urgency, str, str]) -> "list[asyncio.Task[None]]":
    """Those who want a turn, in the order of their coming; the first comes when nobody waits."""
    async def speaker(urgency: Urgency, asker: str, name: str) -> None:
        await pacing.turn(urgency, asker)
        served.append(name)

    tasks = [asyncio.create_task(speaker(*each)) for each in wanted]
    await asyncio.sleep(0)
    return tasks


def test_a_cancel_goes_before_orders_and_an_order_before_questions() -> None:
    async def story(pacing: Pacing, _loop: JumpingLoop) -> None:
        served: list[str] = []
        await asyncio.gather(*await queued(
            pacing, served, (Urgency.QUESTION, "a", "first"), (Urgency.QUESTION, "a", "question"),
            (Urgency.ORDER, "a", "order"), (Urgency.CANCEL, "a", "cancel"), (Urgency.CANCEL, "b", "another cancel")))
        assert served == ["first", "cancel", "another cancel", "order", "question"]
    play(story)


def test_a_worker_with_many_questions_delays_the_only_one_of_another_by_a_single_turn() -> None:
    async def story(pacing: Pacing, _loop: JumpingLoop) -> None:
        served: list[str] = []
        many = [(Urgency.QUESTION, "greedy", f"greedy {number}") for number in range(50)]
        await asyncio.gather(*await queued(pacing, served, *many, (Urgency.QUESTION, "modest", "modest")))
        assert served.index("modest") == 2
    play(story)


def test_who_has_gone_takes_nobodys_turn() -> None:
    async def story(pacing: Pacing, loop: JumpingLoop) -> None:
        served: list[str] = []
        tasks = await queued(pacing, served, *[(Urgency.QUESTION, "a", str(number)) for number in range(5)])
        for task in tasks[1:4]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert served == ["0", "4"]
        assert loop.seconds == pytest.approx(0.1, abs=1e-3)
    play(story)


def test_what_needs_three_messages_takes_the_time_of_three() -> None:
    async def story(pacing: Pacing, loop: JumpingLoop) -> None:
        await pacing.turn(messages=3)
        await pacing.turn()
        assert loop.seconds == pytest.approx(0.3, abs=1e-3)
    play(story)


@given(st.lists(st.tuples(st.sampled_from(Urgency), st.sampled_from("abc"))))
def test_each_is_served_once_the_urgent_first_and_each_asker_in_his_order(wanted: list[tuple[Urgency, str]]) -> None:
    queue: TurnQueue[tuple[Urgency, str, int]] = TurnQueue()
    for number, (urgency, asker) in enumerate(wanted):
        queue.put(urgency, asker, (urgency, asker, number))
    served = []
    while (item := queue.next()) is not None:
        served.append(item)
    assert [urgency for urgency, _, _ in served] == sorted(urgency for urgency, _ in wanted)
    for urgency in Urgency:
        for asker in "abc":
            numbers = [number for each, by, number in served if (each, by) == (urgency, asker)]
            assert numbers == sorted(number for number, each in enumerate(wanted) if each == (urgency, asker))
    assert not queue


def test_after_a_complaint_half_as_many_go_and_never_less_than_one_a_second() -> None:
    async def story(pacing: Pacing, loop: JumpingLoop) -> None:
        pacing.slow_down()
        for _ in range(3):
            await pacing.turn()
        assert loop.seconds == pytest.approx(0.4)
        for _ in range(10):
            pacing.slow_down()
        assert pacing.per_s == 1.0

    play(story)
    play(_stays_as_slow, per_s=0.5)


async def _stays_as_slow(pacing: Pacing, _loop: JumpingLoop) -> None:
    pacing.slow_down()
    assert pacing.per_s == 0.5
