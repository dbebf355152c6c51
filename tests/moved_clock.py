"""A clock that stands still until a test moves it; a pause costs no time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 20, tzinfo=UTC)


@dataclass
class MovedClock:
    instant: datetime = START

    def now(self) -> datetime:
        return self.instant

    def monotonic_s(self) -> float:
        return self.instant.timestamp()

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
