"""Claim a slot in one write, then start its worker: the only two steps by which a run comes into being."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from daemon.children.worker_spec import WorkerSpec
from daemon.crash_points import Point, crash_point
from daemon.cron.windows import window_at
from daemon.decisions.next_run import counted, without
from daemon.decisions.plan import Plan
from daemon.decisions.slot_decisions import run_limit_key
from daemon.leadership import Leadership
from daemon.runner.ledger import Ledger
from daemon.runner.live_runs import LiveRuns
from daemon.runner.watch import Watch
from trading.clock import Clock
from trading.control.change import Cause, Change
from trading.control.due_slot import DueSlot, Tick
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun, RunState, run_id
from trading.errors import SlotTaken


@dataclass(frozen=True, kw_only=True)
class Claims:
    """Only for whoever holds the lock of the process."""

    ledger: Ledger
    live: LiveRuns
    leadership: Leadership
    clock: Clock
    watch: Watch
    plan: Callable[[], Plan]
    worker_spec: Callable[[ProcessRun, Plan], WorkerSpec]
    starting: set[str] = field(default_factory=set)  # they hold their resources while their claim is being written

    async def claim(self, before: ProcessControl, decided: ProcessControl, slot: DueSlot, *, cause: Cause,
                    ticks: tuple[Tick, ...] = ()) -> ProcessRun:
        """Claim `slot` together with all that was `decided`, then start its worker.

        Raises:
            SlotTaken: the slot has its run already; the rest of the decision was written.
            ConcurrentUpdate: read again and decide anew.
        """
        name, plan = before.name, self.plan()
        process, zone = plan.processes[name], plan.zone_of(plan.processes[name])
        run, rest = self._new_run(name, slot), without(decided, slot)
        after = counted(rest, slot, run_limit_key(process, zone, slot)).start_process(run)
        self.starting.add(name)
        try:
            await self.ledger.save(Change(before=before, after=after, cause=cause, ticks=ticks, begins=run))
        except SlotTaken:
            await self.ledger.save(Change(before=before, after=rest, ticks=ticks, cause=Cause(
                actor="schedule", reason=f"the slot {slot.key} has its run already")))
            raise
        finally:
            self.starting.discard(name)
        crash_point(Point.AFTER_CLAIM)
        await self.launch(run)
        return run

    async def launch(self, run: ProcessRun) -> None:
        """Start the worker of a run that is claimed; limits and window are those of this moment."""
        plan, now = self.plan(), self.clock.now()
        process = plan.processes[run.process]
        window = window_at(process.window, plan.zone_of(process), now) if process.window else None
        self.watch.started(run, now)
        await self.live.launch(run, process, self.worker_spec(run, plan), window.closes if window else None)

    def _new_run(self, name: str, slot: DueSlot) -> ProcessRun:
        leader, plan = self.leadership, self.plan()
        run = ProcessRun(id=run_id(name, slot.key, slot.attempt), process=name, slot=slot.key, attempt=slot.attempt,
                         kind=slot.kind, trading_day=slot.trading_day, state=RunState.STARTING,
                         created=self.clock.now(), owner=leader.nonce, node=leader.node, daemon=leader.me,
                         token=leader.token, generation=plan.generation, due=slot.due, nominals=slot.nominals)
        return replace(run, log=self.worker_spec(run, plan).log)
