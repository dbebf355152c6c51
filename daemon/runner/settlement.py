"""The ends of runs made durable: of our own workers, and of those that another daemon left behind."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pymongo.errors import PyMongoError

from daemon.children import process_tree, worker_identity
from daemon.crash_points import Point, crash_point
from daemon.decisions.attempts import next_attempt
from daemon.decisions.found_runs import Finding, Here, find_out, settled_as_found
from daemon.decisions.plan import Plan
from daemon.decisions.run_outcome import Intervention, settled
from daemon.decisions.worker_exit import WorkerExit
from daemon.leadership import Leadership
from daemon.runner.ledger import Ledger
from daemon.runner.live_runs import LiveRuns
from daemon.runner.timers import Timers
from daemon.runner.watch import Watch
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.control.change import Cause, Change
from trading.control.due_slot import DueSlot
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun, RunState, WorkerIdentity
from trading.errors import ConcurrentUpdate, NotFound, StoreError
from trading.log import get_log
from trading.process_config import ProcessConfig

log = get_log()


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """Writes ends. What an end means is decided by pure functions."""

    store: AsyncStore
    ledger: Ledger
    live: LiveRuns
    leadership: Leadership
    clock: Clock
    timers: Timers
    watch: Watch
    plan: Callable[[], Plan]
    ended: Callable[[str], None]  # told the process of each run that has ended
    is_alive: Callable[[WorkerIdentity], bool] = worker_identity.is_alive
    kill_orphan: Callable[[WorkerIdentity, str], None] = process_tree.kill_orphan

    async def of_worker(self, end: WorkerExit) -> None:
        """The end of a worker is a fact; it is written however long the store is away."""
        live, pause_s = self.live[end.run], 0.1
        name, done = live.run.process, live.done  # whatever is asked of it from now on comes too late
        while True:
            try:
                async with self.ledger.lock(name):
                    run = await self._written(end, done)
                break
            except (PyMongoError, StoreError) as error:
                self.ledger.doubt(name)
                log.warning("end_not_written", run=end.run, reason=str(error)[:200], again_in_s=pause_s)
                await self.timers.pause(pause_s)
                pause_s = min(pause_s * 2, 5.0)
        if end.code < 0:
            await self.end_transactions()
        self.live.close(run)
        log.info("run_ended", run=run.id, state=run.state.value, reason=run.reason)
        self.ended(name)

    async def of_found(self, run: ProcessRun) -> bool:
        """Settle an active run that nobody here watches; False: it goes on under another daemon."""
        run = await self.store.call(self.store.processes.run, run.id)
        if not run.active:  # it has had its end since it was seen; so what was seen of its process is old as well
            self.ledger.doubt(run.process)
            return True
        here = Here(node=self.leadership.node, boot_id=self.leadership.me.boot_id, now=self.clock.now())
        finding = find_out(run, here, self.is_alive)
        if finding is Finding.ELSEWHERE:
            return False
        if run.worker is not None and run.worker.boot_id == here.boot_id:  # also what a dead worker has left running
            await self.store.call(self.kill_orphan, run.worker, run.id)
        if finding in (Finding.ORPHAN, Finding.VANISHED):  # its last word may have come after it was read
            run = await self.store.call(self.store.processes.run, run.id)
            finding = Finding.VANISHED if run.said_code is None else Finding.ENDED
        done = settled_as_found(run, finding, self.clock.now())
        await self._finish(await self.ledger.known(run.process), done)
        log.warning("run_found", run=run.id, finding=finding.value, state=done.state.value)
        return True

    async def end_transactions(self) -> None:
        """A worker that was killed within a transaction would keep its orders from the next one for a minute."""
        try:
            await self.store.call(self.store.processes.end_transactions)
        except PyMongoError as error:
            log.warning("transactions_not_ended", reason=str(error)[:200], effect="what a worker that was killed was "
                        "writing may be held for a minute")

    async def resolve(self, run_id: str, state: RunState, cause: Cause) -> ProcessRun:
        """An operator says what became of a lost run.

        Raises:
            NotFound: it is not lost.
        """
        found = await self.store.call(self.store.processes.run, run_id)
        if found.state is not RunState.LOST:
            raise NotFound(f"{run_id} is {found.state}, not LOST; there is nothing to resolve. See: tradectl history "
                           f"{found.process}")
        resolved = replace(found, state=state, reason=f"resolved by {cause.actor}: {cause.reason}")
        async with self.ledger.lock(found.process):
            control = await self.ledger.known(found.process)
            await self.ledger.save(Change(before=control, after=control.resolved(resolved), cause=cause, ends=resolved))
        self.watch.resolved(resolved)
        self.ended(found.process)
        return resolved

    async def _written(self, end: WorkerExit, done: Intervention) -> ProcessRun:
        run = await self.store.call(self.store.processes.run, end.run)
        if not run.active:
            return run  # written before, or settled by a newer leader
        terminal = settled(run, end, done, self.clock.now())
        crash_point(Point.BEFORE_END_WRITE)
        await self._finish(await self.ledger.known(run.process), terminal)
        crash_point(Point.AFTER_END_WRITE)
        return terminal

    async def _next(self, process: ProcessConfig, run: ProcessRun) -> DueSlot | None:
        if run.state is RunState.FINISHED:
            return None
        tried = await self.store.call(self.store.processes.tried, run.process, run.slot)
        return next_attempt(process, run, tried, self.clock.now())

    async def _finish(self, control: ProcessControl, run: ProcessRun) -> None:
        """Write the terminal run, what it makes of its process, and the attempt that follows.

        Raises:
            ConcurrentUpdate: it has had its end between the readings of run and process; look again.
        """
        if control.active_run != run.id:
            self.ledger.doubt(run.process)
            raise ConcurrentUpdate(f"run {run.id}", run.version)
        process, after = self.plan().processes.get(run.process), control.finish_process(run)
        again = await self._next(process, run) if process is not None else None
        if again is not None:
            after = replace(after, pending=(again, *after.pending))
        await self.ledger.save(Change(before=control, after=after, ends=run, cause=Cause(
            actor="supervisor", reason=run.reason or "it has ended")))
        self.watch.ended(run, after, again, critical=process is not None and process.critical)
