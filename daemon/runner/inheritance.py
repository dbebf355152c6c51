"""What an earlier leader left behind: its active runs, and the names of processes that an edit has renamed."""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.decisions.plan import Plan
from daemon.runner.claims import Claims
from daemon.runner.ledger import Ledger
from daemon.runner.live_runs import LiveRuns
from daemon.runner.runner_parts import RunnerParts
from daemon.runner.settlement import Settlement
from daemon.runner.store_outage import LOOK_AGAIN_S
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun, RunState
from trading.errors import ConcurrentUpdate
from trading.log import get_log

log = get_log()

@dataclass(frozen=True, kw_only=True)
class Inheritance:
    """Settles each exactly once, whoever claimed it."""

    parts: RunnerParts
    ledger: Ledger
    live: LiveRuns
    claims: Claims
    settlement: Settlement
    plan: Callable[[], Plan]
    ended: Callable[[str], None]  # the run of this process has ended
    wake: Callable[[str], None]

    async def settle_all(self) -> int:
        """Fence older leaders out and settle what they left active; how many runs that were."""
        store = self.parts.store
        await self.ledger.load(self.plan().processes)
        await self.carry_over_renamed()
        found = [run for run in await store.call(store.processes.active_runs) if run.id not in self.live]
        for run in found:
            async with self.ledger.lock(run.process):
                await self._settle_for_sure(run)
        if found:
            await self.settlement.end_transactions()
        return len(found)

    async def adopt(self, control: ProcessControl) -> ProcessControl:
        """Its active run is watched by nobody here: our own claim, heard of late, or somebody else's."""
        assert control.active_run is not None
        store = self.parts.store
        run = await store.call(store.processes.run, control.active_run)
        if run.state is RunState.STARTING and run.owner == self.parts.leadership.nonce:
            await self.claims.launch(run)
        else:
            await self._settle(run)
        return await self.ledger.known(control.name)

    async def withdraw_claims(self) -> None:
        """Settle what this daemon has claimed and never launched, as the answer of the store had been lost."""
        nonce = self.parts.leadership.nonce
        for run in await self.parts.store.call(self.parts.store.processes.active_runs):
            if run.owner == nonce and run.id not in self.live:
                async with self.ledger.lock(run.process):
                    await self._settle_for_sure(run)

    async def carry_over_renamed(self) -> None:
        """Give a process that was renamed (`was:`) the history of its old name, once."""
        store, token = self.parts.store, self.parts.leadership.token
        for name, process in self.plan().processes.items():
            if process.was is None or (await self.ledger.seen(name)).version:
                continue
            if await store.call(store.processes.rename, process.was, name, token):
                self.ledger.forget(process.was)
                self.ledger.forget(name)
                log.info("process_renamed", old=process.was, new=name)

    async def _settle_for_sure(self, run: ProcessRun) -> None:
        while run.id not in self.live:  # its claim may have been on its way
            try:
                await self._settle(run)
                break
            except ConcurrentUpdate:  # its worker has just taken it
                self.ledger.doubt(run.process)
                await self.parts.timers.pause(0.05)

    async def _settle(self, run: ProcessRun) -> None:
        if await self.settlement.of_found(run):
            self.ended(run.process)
        else:
            self.parts.timers.after(f"again {run.process}", LOOK_AGAIN_S, lambda: self.wake(run.process))
