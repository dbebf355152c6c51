"""A child that lives and answers nobody is worse than one that is dead: nothing starts it again. This does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from trading.clock import Clock
from trading.log import get_log

log = get_log()

HANGS_AFTER_S: Final = 60.0  # a slow disk, or a machine that was suspended, is no reason
_LOOK_EVERY_S: Final = 1.0


async def kill_when_it_hangs(answers: Callable[[], bool], kill: Callable[[], None], clock: Clock,
                             pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Until cancelled: `kill` whenever `answers` has been false for a minute without a break."""
    since_s = clock.monotonic_s()
    while True:
        await pause(_LOOK_EVERY_S)
        if answers():
            since_s = clock.monotonic_s()
        elif clock.monotonic_s() - since_s >= HANGS_AFTER_S:
            log.error("child_hangs", for_s=round(clock.monotonic_s() - since_s))
            kill()
            since_s = clock.monotonic_s()
