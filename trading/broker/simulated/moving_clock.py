"""The gateway's own clock: real, faster than real, or moved by hand. The recorded day follows it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from trading.clock import Clock
from trading.errors import ConfigError


@dataclass
class MovingClock:
    """Shows the time of `base` until it is told otherwise; never goes back. Spans of time stay real."""

    base: Clock
    speed: float = 1.0
    _shift: timedelta = timedelta(0)  # from the base, at its own speed
    _since: datetime = field(init=False)
    _since_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._since, self._since_s = self.base.now(), self.base.monotonic_s()

    def now(self) -> datetime:
        if self.speed == 1:
            return self.base.now() + self._shift
        return self._since + timedelta(seconds=(self.base.monotonic_s() - self._since_s) * self.speed)

    def monotonic_s(self) -> float:
        return self.base.monotonic_s()

    def run(self, speed: float) -> None:
        """Go on `speed` times as fast as real time; 0 stands still.

        Raises:
            ConfigError: it would go back.
        """
        if not 0 <= speed <= 1_000_000:
            raise ConfigError(f"The speed of the gateway's clock is {speed:g}; it must be from 0 to 1,000,000.")
        now = self.now()
        self._since, self._since_s, self._shift = now, self.base.monotonic_s(), now - self.base.now()
        self.speed = speed

    def move_to(self, instant: datetime) -> None:
        """Show `instant` now.

        Raises:
            ConfigError: it has no zone, or lies in the past.
        """
        if instant.tzinfo is None:
            raise ConfigError(f"{instant.isoformat()} has no time zone. Write it as in 2021-10-13T12:00:00+00:00.")
        if instant < self.now():
            raise ConfigError(f"The gateway's clock shows {self.now().isoformat(timespec='seconds')} and does not go "
                              f"back to {instant.isoformat(timespec='seconds')}.")
        self._since, self._since_s = instant, self.base.monotonic_s()
        self._shift = instant - self.base.now()
