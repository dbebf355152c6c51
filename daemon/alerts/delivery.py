"""One channel and the messages that wait for it: the oldest first, tried again until it is taken, refused or stale.

A broken channel stops nobody else: it is logged once, named in `problem`, and tried ever more slowly.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from daemon.alerts.channels import Channel, NotDelivered
from trading.clock import Clock
from trading.control.alert import Message
from trading.log import get_log

log = get_log()

DELAYS_S: Final = (1.0, 5.0, 15.0, 60.0)  # the last one goes on
STALE: Final = timedelta(days=1)
LONGEST: Final = 1000  # messages that wait; beyond that the oldest are dropped


class Delivery:
    """Sends over one channel. `settled` hears of each message that needs no further attempt."""

    def __init__(self, channel: Channel, clock: Clock, settled: Callable[[Message], None],
                 delays_s: Sequence[float] = DELAYS_S) -> None:
        self._channel, self._clock, self._settled, self._delays_s = channel, clock, settled, delays_s
        self._waiting: deque[Message] = deque()
        self._filled = asyncio.Event()
        self._failures = 0
        self._busy = False
        self.problem: str | None = None

    @property
    def name(self) -> str:
        return self._channel.name

    @property
    def idle(self) -> bool:
        return not self._waiting and not self._busy

    def put(self, message: Message) -> None:
        """Send `message` after those that wait already; never waits."""
        if len(self._waiting) >= LONGEST:
            self._drop(self._waiting.popleft(), f"more than {LONGEST} messages wait")
        self._waiting.append(message)
        self._filled.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._filled.wait()
            while self._waiting:
                await self._try(self._waiting.popleft())
            self._filled.clear()

    async def _try(self, message: Message) -> None:
        self._busy = True
        try:
            await self._channel.send(message)
        except NotDelivered as error:
            self._note(str(error))
            if error.final:
                self._drop(message, str(error))
            elif self._clock.now() - message.at > STALE:
                self._drop(message, f"not delivered within {STALE}")
            else:
                self._waiting.appendleft(message)
                await asyncio.sleep(self._delays_s[min(self._failures, len(self._delays_s)) - 1])
        else:
            self._works()
            self._settled(message)
        finally:
            self._busy = False

    def _drop(self, message: Message, reason: str) -> None:
        log.error("alert_not_delivered", channel=self.name, alert=message.key, reason=reason)
        self._settled(message)

    def _note(self, reason: str) -> None:
        self._failures += 1
        if self.problem is None:
            log.error("alert_channel_broken", channel=self.name, reason=reason)
        self.problem = reason

    def _works(self) -> None:
        if self.problem is not None:
            log.info("alert_channel_works_again", channel=self.name, failures=self._failures)
        self._failures, self.problem = 0, None
