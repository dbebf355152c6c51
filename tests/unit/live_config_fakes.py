"""What a live configuration needs from outside, in memory: revisions, a clock, and somebody who listens."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pymongo.errors import PyMongoError

from daemon.configuration.checked_config import checked
from daemon.configuration.live_config import LiveConfig, LiveParts
from trading.config import Config
from trading.control.config_revision import ConfigRevision
from trading.errors import ConcurrentUpdate, NotFound

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class FakeClock:
    def now(self) -> datetime:
        return NOW

    def monotonic_s(self) -> float:
        return 0.0


@dataclass
class FakeRevisions:
    """As the store's: the number of a generation is won once. `lost` generations are won by somebody else first."""

    kept: list[ConfigRevision] = field(default_factory=list)
    away: bool = False
    rivals: list[ConfigRevision] = field(default_factory=list)

    def newest(self) -> ConfigRevision | None:
        self._answer()
        return self.kept[-1] if self.kept else None

    def get(self, generation: int) -> ConfigRevision:
        self._answer()
        if not 0 < generation <= len(self.kept):
            raise NotFound(f"There is no generation {generation} of the configuration.")
        return self.kept[generation - 1]

    def history(self, limit: int) -> list[ConfigRevision]:
        self._answer()
        return self.kept[::-1][:limit]

    def insert(self, revision: ConfigRevision, nonce: str = "") -> ConfigRevision:
        self._answer()
        if self.rivals:
            self.kept.append(replace(self.rivals.pop(0), generation=len(self.kept) + 1))
        numbered = replace(revision, generation=(revision.parent or 0) + 1)
        if numbered.generation != len(self.kept) + 1:
            raise ConcurrentUpdate("the configuration", numbered.parent or 0)
        self.kept.append(numbered)
        return numbered

    def _answer(self) -> None:
        if self.away:
            raise PyMongoError("connection refused")


@dataclass
class Heard:
    """Who is told of a new generation; keeps what each changed, if it did."""

    changes: list[tuple[Config, Config]] = field(default_factory=list)

    def __call__(self, old: Config, new: Config) -> None:
        if old != new:
            self.changes.append((old, new))


def a_live_config(folder: Path, revisions: FakeRevisions | None = None, heard: Heard | None = None) -> LiveConfig:
    """Over `folder`, not started."""
    parts = LiveParts(folder=folder, revisions=revisions or FakeRevisions(), clock=FakeClock(),
                      on_change=heard or Heard())
    found = checked(folder, now=NOW)
    return LiveConfig(parts, found.config, found.calendars)
