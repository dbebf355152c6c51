"""A child is killed when it has not answered for a minute, and not before."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from daemon.children.hang_watch import HANGS_AFTER_S, kill_when_it_hangs


@dataclass
class Child:
    """Answers except in `silent`; `killed` says when it was killed. It is the clock, too, and ends after `lasts_s`."""

    silent: tuple[tuple[float, float], ...]
    heals: bool = True
    lasts_s: float = 400.0
    now_s: float = 0.0
    killed: list[float] = field(default_factory=list)

    def answers(self) -> bool:
        return not any(begin <= self.now_s < end and not (self.heals and any(at >= begin for at in self.killed))
                       for begin, end in self.silent)

    def kill(self) -> None:
        self.killed.append(self.now_s)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return self.now_s

    async def pause(self, delay_s: float) -> None:
        self.now_s += delay_s
        if self.now_s > self.lasts_s:
            raise asyncio.CancelledError


@pytest.mark.parametrize(("child", "killed"), [
    (Child(silent=()), []),
    (Child(silent=((10, 69),)), []),  # a second less than a minute
    (Child(silent=((10, 60), (61, 115))), []),  # one answer in between
    (Child(silent=((10, 300),)), [9 + HANGS_AFTER_S]),  # since its last answer
    (Child(silent=((10, 200),), heals=False), [9 + HANGS_AFTER_S, 9 + 2 * HANGS_AFTER_S, 9 + 3 * HANGS_AFTER_S]),
])
def test_it_is_killed_when_it_was_silent_for_a_minute(child: Child, killed: list[float]) -> None:
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(kill_when_it_hangs(child.answers, child.kill, child, child.pause))
    assert child.killed == killed
