"""A whole trading day at once: every process in the order of its dependencies, one after the other."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Final

from daemon.process_runner import NotAllowed, ProcessRunner
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.control.due_slot import DueSlot
from trading.control.process_run import Kind, ProcessRun, RunState

_LONGEST_RETRY_PAUSE_S: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class DayRun:
    """Runs one day. What already finished on it is not repeated, unless asked `again` or something before it ran."""

    runner: ProcessRunner
    store: AsyncStore
    clock: Clock
    trading_day: str
    tell: Callable[[str, ProcessRun | str], None]  # hears of each process: its terminal run, or why it was left out

    async def run_all_processes(self, again: bool) -> bool:
        """Run the day; whether all went well."""
        all_well, repeat = True, again
        for name in self._in_order():
            if not repeat and await self.runner.has_finished(name, self.trading_day):
                self.tell(name, f"already finished on {self.trading_day}")
                continue
            repeat = True
            outcome = await self._run(name)
            self.tell(name, outcome)
            all_well &= not isinstance(outcome, str) and outcome.state is RunState.FINISHED
            if self.runner.held:
                return False
        return all_well

    async def _run(self, name: str) -> ProcessRun | str:
        process = self.runner.plan.processes[name]
        for attempt in range(1, process.max_attempts + 1):
            try:
                run = await self.runner.run_single_process(name, await self._slot(name), reason="a whole day at once")
            except NotAllowed as refusal:
                return refusal.decision.reason
            ended = await self.runner.wait_for(run.id)
            if ended.state is not RunState.ERROR or attempt == process.max_attempts or self.runner.held:
                return ended
            await asyncio.sleep(min(process.retry_delay, _LONGEST_RETRY_PAUSE_S))
        raise AssertionError("max_attempts is positive")

    async def _slot(self, name: str) -> DueSlot:
        key, now = f"day-{self.trading_day}", self.clock.now()
        attempts = await self.store.call(self.store.processes.attempts, name, key)
        return DueSlot(key=key, kind=Kind.DAY, due=now, not_before=now, trading_day=self.trading_day,
                       attempt=attempts + 1)

    def _in_order(self) -> list[str]:
        """Dependencies first; among the ready ones the order of the file."""
        processes = self.runner.plan.processes
        place = {name: index for index, name in enumerate(processes)}
        sorter = TopologicalSorter({name: process.upstream() for name, process in processes.items()})
        sorter.prepare()
        ready, ordered = list(sorter.get_ready()), []
        while ready:
            name = min(ready, key=place.__getitem__)
            ready.remove(name)
            ordered.append(name)
            sorter.done(name)
            ready.extend(sorter.get_ready())
        return [name for name in ordered if processes[name].enabled]
