"""What the service does when the rules of its time zones change: it decides by the new ones, and says what moved."""

from dataclasses import dataclass, replace
from typing import Final
from zoneinfo import ZoneInfo

from daemon.alerts.alerts import Alerts
from daemon.clocks.zone_watch import Zones, zone_data_version
from daemon.decisions.plan import Plan
from daemon.decisions.slots import next_slot
from daemon.process_runner import ProcessRunner
from trading.clock import Clock
from trading.control.alert import AlertKind
from trading.process_config import ProcessConfig

_MOST_NAMED: Final = 5


@dataclass(frozen=True, kw_only=True)
class ZoneDesk:
    """One term's."""

    runner: ProcessRunner
    clock: Clock
    alerts: Alerts

    def names(self) -> set[str]:
        """The zones that decide when something is due."""
        plan = self.runner.plan
        return {plan.zone.key, plan.days.zone.key, *(plan.zone_of(each).key for each in plan.processes.values())}

    async def changed(self, old: Zones) -> None:
        """Take the new rules over; `old` are those before."""
        plan = self.runner.plan
        newer = replace(plan, zone=ZoneInfo(plan.zone.key),
                        days=replace(plan.days, zone=ZoneInfo(plan.days.zone.key)))
        moved = [name for name, process in plan.processes.items() if self._has_moved(newer, process, old)]
        await self.runner.use(newer)
        self.alerts.tell(AlertKind.ZONES_CHANGED, "zones", (
            f"The time zone data is now {zone_data_version()}. {_sentence(moved)}"))

    def _has_moved(self, plan: Plan, process: ProcessConfig, old: Zones) -> bool:
        zone, now = plan.zone_of(process), self.clock.now()
        if not process.enabled or zone.key not in old:
            return False
        calendar = plan.calendar_of(process)
        before = next_slot(process, old[zone.key], calendar, now)
        return before != next_slot(process, zone, calendar, now)


def _sentence(moved: list[str]) -> str:
    if not moved:
        return "The next slot of every process stays where it was."
    more = len(moved) - _MOST_NAMED
    names = ", ".join(moved[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"The next slot has moved for {names}. See: tradectl schedule next"
