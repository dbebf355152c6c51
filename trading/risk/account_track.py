"""What is remembered of the account's worth: the day's beginning, the highest ever, and readings in doubt. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from trading.risk.check import Check
from trading.risk.controls.watch import LossReading, NavTrack, nav_after, rc_24, rc_25, rc_26
from trading.risk.overrides import NO_OVERRIDE, Override, combined, parse_override
from trading.risk.settings import AccountSettings

_KEPT: Final = 20  # readings of a day's result


@dataclass(frozen=True, kw_only=True)
class AccountTrack:
    """One account. A reading that moves too far counts only when several in a row agree (RC-24)."""

    day: str = ""
    day_began_at: float | None = None  # the first sound worth of the day
    high_water_mark: float = 0.0
    nav: NavTrack = field(default_factory=NavTrack)
    readings: tuple[LossReading, ...] = ()
    imposed: Override = NO_OVERRIDE  # for the drawdown; it is not laid again when a person has taken it back

    def after(self, worth: float, day: str, now: datetime, settings: AccountSettings) -> "AccountTrack":
        """The track after one reading on trading day `day`."""
        nav = nav_after(self.nav, worth, settings)
        track = replace(self, nav=nav)
        if not nav.is_sound or nav.good is None:
            return track
        if day != self.day:
            track = replace(track, day=day, day_began_at=nav.good, readings=())
        began = track.day_began_at or nav.good
        reading = LossReading(at=now, day_return=nav.good / began - 1)
        return replace(track, high_water_mark=max(track.high_water_mark, nav.good),
                       readings=(*track.readings, reading)[-_KEPT:])

    def checks(self, settings: AccountSettings) -> tuple[Check, ...]:
        """What the readings say; nothing before there is a sound one."""
        if self.nav.good is None:
            return ()
        return (rc_24(self.nav, settings), rc_25(self.readings, settings),
                rc_26(self.nav.good, self.high_water_mark, settings))

    def imposing(self, override: Override) -> "AccountTrack":
        """What the drawdown asks for now: nothing ends a drawdown, and only more than before is a new demand."""
        return replace(self, imposed=NO_OVERRIDE if override == NO_OVERRIDE else combined([self.imposed, override]))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, which survive a restart."""
        return {"day": self.day, "day_began_at": self.day_began_at, "high_water_mark": self.high_water_mark,
                "good": self.nav.good, "candidate": self.nav.candidate, "reads": self.nav.reads,
                "imposed": self.imposed.words,
                "readings": [{"at": each.at, "day_return": each.day_return} for each in self.readings]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "AccountTrack":
        """What `as_dict` gave."""
        return cls(
            imposed=parse_override(document["imposed"]), day=str(document["day"]),
            day_began_at=document["day_began_at"],
            high_water_mark=float(document["high_water_mark"]),
            nav=NavTrack(good=document["good"], candidate=document["candidate"], reads=int(document["reads"])),
            readings=tuple(LossReading(at=each["at"], day_return=each["day_return"]) for each in document["readings"]))
