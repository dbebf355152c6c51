"""What a decision about a process depends on, brought together from the plan, the ledger and the moment."""

from collections.abc import Callable, Iterable
from datetime import datetime

from daemon.decisions.next_run import NextRun, Surroundings
from daemon.decisions.plan import Plan
from daemon.decisions.resources import Claimant, missing_resource
from daemon.decisions.slot_decisions import run_limit_key
from daemon.decisions.slot_facts import SlotFacts
from daemon.runner.ledger import Ledger
from daemon.runner.runner_parts import RunnerParts
from trading.control.process_control import ProcessControl


class Outlook:
    """Reads, never writes. It remembers why the first slot of each process waits."""

    def __init__(self, parts: RunnerParts, ledger: Ledger, plan: Callable[[], Plan], starting: set[str]) -> None:
        self._parts, self._ledger, self._plan, self._starting = parts, ledger, plan, starting
        self.why: dict[str, str] = {}
        self._in_line: set[str] = set()  # of these, who waits for a resource and for nothing else

    async def slot_facts(self, name: str, control: ProcessControl, now: datetime, booting: bool) -> SlotFacts:
        """What decides which slots have come by `now` (aware, UTC)."""
        plan = self._plan()
        process = plan.processes[name]
        upstream = process.on_success_of and (await self._ledger.seen(process.on_success_of)).last_success
        return SlotFacts(name=name, process=process, zone=plan.zone_of(process), calendar=plan.calendar_of(process),
                         control=control, now=now, trading_day=plan.days.day_of,
                         upstream_success=upstream.id if upstream else None, why=self.why.get(name, ""),
                         boot=self._parts.leadership.nonce, booting=booting)

    async def surroundings(self, name: str, now: datetime) -> Surroundings:
        """What decides whether one of them may start."""
        plan = self._plan()
        process = plan.processes[name]
        zone = plan.zone_of(process)
        upstream = {each: await self._ledger.seen(each) for each in process.after}
        return Surroundings(process=process, upstream=upstream, now=now,
                            is_leader=self._parts.leadership.is_leader, broker_problem=self._parts.broker_problem(),
                            resources_missing=self._missing_resource(name),
                            limit_key=lambda slot: run_limit_key(process, zone, slot))

    def note(self, name: str, following: NextRun, now: datetime) -> None:
        """Remember why `name` waits, if it does, and let the watchers know."""
        control, why = following.control, following.why
        self._in_line.discard(name)
        if following.in_line:
            self._in_line.add(name)
        overdue = [slot for slot in control.pending if slot.not_before <= now]
        if why and overdue and control.active_run is None:
            self.why[name] = why
            self._parts.watch.waits(name, overdue[0], why, now)
        else:
            self.why.pop(name, None)

    def _missing_resource(self, name: str) -> str:
        plan = self._plan()
        holders = self._claimants(self._ledger.active() | self._starting)
        return missing_resource(name, plan.processes[name], plan.resources, holders, self._claimants(self._in_line))

    def _claimants(self, names: Iterable[str]) -> list[Claimant]:
        processes = self._plan().processes
        return [Claimant(name=each, process=processes[each]) for each in names if each in processes]
