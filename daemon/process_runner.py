"""ProcessRunner: look at a process, decide (pure), make it durable, act. The only place that starts runs.

One look at a process settles everything that has come since the last one: slots that are due, missed or left out,
and which of those that wait may start. It is safe to look at any time, and twice: what is written names the version
that was read, a slot is claimed by inserting its run under a deterministic key, and the worker takes the last step.
A write whose outcome is unknown is never repeated blindly: the process is read again and decided anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from pymongo.errors import PyMongoError

from daemon.decisions.next_run import facts_for, next_run
from daemon.decisions.plan import Plan
from daemon.decisions.run_outcome import Intervention, Why
from daemon.decisions.slot_decisions import Evaluation, evaluate, next_look
from daemon.decisions.slot_facts import SlotFacts
from daemon.decisions.worker_exit import WorkerExit
from daemon.run_conditions import RunDecision, can_process_run
from daemon.runner.claims import Claims
from daemon.runner.draining import Draining
from daemon.runner.inheritance import Inheritance
from daemon.runner.ledger import FencedOut, Ledger
from daemon.runner.live_runs import LiveRuns
from daemon.runner.operator_desk import OperatorDesk
from daemon.runner.outlook import Outlook
from daemon.runner.runner_parts import RunnerParts
from daemon.runner.settlement import Settlement
from daemon.runner.store_outage import LOOK_AGAIN_S, StoreOutage
from trading.control.change import Cause, Change
from trading.control.due_slot import DueSlot, Tick
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun, RunState
from trading.control.process_state import ProcessState
from trading.errors import ConcurrentUpdate, SlotTaken, StoreError, TradingError
from trading.log import get_log

log = get_log()

_LONG_ABSENCE: Final = timedelta(days=1)  # evaluating more than this is done off the event loop


class NotAllowed(TradingError):
    """A run was refused; nothing was started."""

    def __init__(self, process: str, decision: RunDecision) -> None:
        super().__init__(f"{process} was not started: {decision.reason}.")
        self.decision = decision


class ProcessRunner:
    """The state machine in motion. All methods run on the event loop; the store is called off it."""

    def __init__(self, parts: RunnerParts, plan: Plan) -> None:
        self._parts = parts
        self.plan = self._wanted = plan
        self.ledger = Ledger(parts.store, parts.leadership, parts.watch)
        self.live = LiveRuns(parts.workers, parts.timers, self._is_taken, self._spawn)
        self._claims = Claims(ledger=self.ledger, live=self.live, leadership=parts.leadership, clock=parts.clock,
                              watch=parts.watch, plan=lambda: self.plan, worker_spec=parts.worker_spec)
        self._settlement = Settlement(
            store=parts.store, ledger=self.ledger, live=self.live, leadership=parts.leadership, clock=parts.clock,
            timers=parts.timers, watch=parts.watch, plan=lambda: self.plan,
            ended=self._something_ended, is_alive=parts.is_alive, kill_orphan=parts.kill_orphan)
        self._inheritance = Inheritance(
            parts=parts, ledger=self.ledger, live=self.live, claims=self._claims, settlement=self._settlement,
            plan=lambda: self.plan, ended=self._something_ended, wake=self.wake)
        self._outage = StoreOutage(parts.store, parts.timers, parts.watch, self._spawn, self.wake_all)
        self._outlook = Outlook(parts, self.ledger, lambda: self.plan, self._claims.starting)
        self.desk = OperatorDesk(ledger=self.ledger, live=self.live, settlement=self._settlement, clock=parts.clock,
                                 wake=self.wake)
        self.next_slots: dict[str, datetime | None] = {}  # as of the last look
        self._holds: dict[str, str] = {}  # why nothing is decided at all: drain, clock, stop
        self._acts = False  # between `recover` and `rest`
        self._rests = 0
        self._on_schedule = False
        self._queued: set[str] = set()  # somebody will look at them anyway
        self._booted: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- the life of the runner -------------------------------------------------------------------------------

    async def recover(self) -> int:
        """Begin a term: fence older leaders out and settle what they left active; how many runs that were."""
        rests = self._rests
        found = await self._inheritance.settle_all()
        self._acts = self._rests == rests
        return found

    def begin(self) -> None:
        """Follow the schedule: look at every process, from then on whenever something about it may have changed."""
        self._on_schedule = True
        self.wake_all()

    def new_term(self) -> None:
        """We lead again, after a while in which we did not: nothing that was known before is certain."""
        self._acts = False
        self.ledger.doubt_all()
        self._spawn(self._begin_term())

    @property
    def held(self) -> str:
        """Why nothing is decided at all; empty: it is."""
        return "; ".join(self._holds.values())

    def hold(self, what: str, reason: str) -> None:
        """Decide nothing while `what` (drain, clock, stop) has a reason; an empty one lets it go."""
        self._holds.pop(what, None)
        if reason:
            self._holds[what] = reason
        else:
            self.wake_all()

    def rest(self) -> None:
        """Decide nothing more. Runs go on, and their ends are written if the store still lets us."""
        self._acts = False
        self._rests += 1
        self._parts.timers.cancel("begin term")
        for name in self.plan.processes:
            self._parts.timers.cancel(f"look {name}")

    async def use(self, plan: Plan) -> None:
        """Decide by `plan` from now on, once everything that came before has been decided by the old one.

        Takes as long as the store is away: a slot that was due meanwhile is one of the old plan.
        """
        self._wanted = plan
        while self._wanted is plan and not await self._changed_to(plan):
            await self._parts.timers.pause(LOOK_AGAIN_S)

    async def _changed_to(self, plan: Plan) -> bool:
        """Whether it was done."""
        changed = [name for name, process in self.plan.processes.items() if plan.processes.get(name) != process]
        async with AsyncExitStack() as locked:
            for name in changed:
                await locked.enter_async_context(self.ledger.lock(name))
                await self._look(name)
            if self._acts and self._outage.lasts:
                return False
            for name in set(self.plan.processes) - set(plan.processes):
                self._parts.timers.cancel(f"look {name}")
                self._outlook.why.pop(name, None)
            self.plan = plan
        if self._acts:
            await self._inheritance.carry_over_renamed()
            self.wake_all()
        return True

    async def drain(self, tell: Callable[[str], None]) -> None:
        """Start nothing more, ask all that runs to stop, and wait until it has; not longer, whatever hangs."""
        self.hold("stop", "tradingd is stopping")
        await Draining(ledger=self.ledger, live=self.live, desk=self.desk, tell=tell,
                       withdraw_claims=self._inheritance.withdraw_claims).run(self.plan.processes)

    def kill_all(self) -> None:
        """SIGKILL to everything that runs."""
        for each in self.live.running():
            self._spawn(self.live.kill(each.run.id))

    def on_exit(self, end: WorkerExit) -> None:
        """A worker ended; settling goes on until the store has it."""
        if end.run in self.live:
            self._spawn(self._settlement.of_worker(end))

    @property
    def why(self) -> Mapping[str, str]:
        """Why the first slot of a process still waits."""
        return self._outlook.why

    # --- looking ----------------------------------------------------------------------------------------------

    def wake(self, name: str) -> None:
        """Look at `name` soon."""
        if self._acts and name not in self._queued:
            self._queued.add(name)
            self._spawn(self.look(name))

    def wake_all(self) -> None:
        """Something happened that may concern every process."""
        for name in self.plan.processes:
            self.wake(name)

    def wake_waiting(self) -> None:
        """Something changed that slots may be waiting for: look at them, the most important first."""
        waiting = [name for name in self._outlook.why if name in self.plan.processes]
        for name in sorted(waiting, key=lambda each: -self.plan.processes[each].priority):
            self.wake(name)

    async def look(self, name: str) -> None:
        """Decide everything about `name` that can be decided now."""
        async with self.ledger.lock(name):
            self._queued.discard(name)
            await self._look(name)

    async def _look(self, name: str) -> None:
        """Look until a decision could be written, or cannot be for now."""
        while self._may_decide(name):
            try:
                await self._look_once(name)
                break
            except SlotTaken as taken:
                log.info("slot_taken", run=taken.run)
            except ConcurrentUpdate as error:
                log.info("decided_anew", process=name, reason=str(error))
                await self._parts.timers.pause(0.05)
            except FencedOut as error:
                log.error("fenced_out", process=name, reason=str(error))
                self.rest()
            except (PyMongoError, StoreError) as error:
                self._store_failed(name, error)

    def _may_decide(self, name: str) -> bool:
        acts = self._acts and self._on_schedule and not self.held and not self._outage.lasts
        return acts and self._parts.leadership.is_leader and name in self.plan.processes

    async def _look_once(self, name: str) -> None:
        """One decision and its write."""
        control = await self.ledger.known(name)
        if control.active_run is not None and control.active_run not in self.live:
            control = await self._inheritance.adopt(control)
        now = self._believed_time()
        if now is None:
            return
        facts = await self._outlook.slot_facts(name, control, now, booting=name not in self._booted)
        evaluation = await self._evaluated(facts)
        following = next_run(evaluation.control, await self._outlook.surroundings(name, now))
        ticks = (*evaluation.ticks, *following.ticks)
        self._outlook.note(name, following, now)
        if following.start is not None:
            await self._claims.claim(control, following.control, following.start, ticks=ticks, cause=Cause(
                actor="schedule", reason=f"{following.start.kind.value} slot {following.start.key}"))
        else:
            await self.ledger.save(Change(before=control, after=following.control, ticks=ticks, cause=Cause(
                actor="schedule", reason=_about(ticks))))
        self._booted.add(name)
        if evaluation.stop_active and control.active_run is not None:
            reason = "a newer slot takes its place (overlap: terminate_old)"
            await self.live.intervene(control.active_run, Intervention(why=Why.STOPPED, reason=reason))
        self._set_alarm(name, replace(facts, control=await self.ledger.known(name)))

    def _believed_time(self) -> datetime | None:
        """The time by which slots are decided; None when the clock has just gone so far that nothing may be."""
        now = self._parts.clock.now()
        self._parts.look_at_clock()
        return None if self.held else now

    async def _evaluated(self, facts: SlotFacts) -> Evaluation:
        through = facts.control.evaluated_through
        if through is not None and facts.now - through > _LONG_ABSENCE:
            return await self._parts.store.call(evaluate, facts)
        return evaluate(facts)

    def _set_alarm(self, name: str, facts: SlotFacts) -> None:
        following = next_look(facts)
        self.next_slots[name] = following.slot
        if following.at is not None and self._acts:
            self._parts.timers.at(f"look {name}", following.at, lambda: self.wake(name))

    def _store_failed(self, name: str, error: Exception) -> None:
        """The outcome is unknown: read again before anything is decided."""
        self.ledger.doubt(name)
        self._outlook.why[name] = "the store does not take what is decided"
        self._outage.begin(error)

    # --- starting ---------------------------------------------------------------------------------------------

    async def run_single_process(self, name: str, slot: DueSlot, force: bool = False, *, actor: str = "operator",
                                 reason: str = "") -> ProcessRun:
        """Start `name` for `slot` if the rules allow it; the run that was started.

        Raises:
            NotAllowed: the reason is a sentence.
            SlotTaken, ConcurrentUpdate: somebody else was faster.
        """
        async with self.ledger.lock(name):
            before = await self.ledger.known(name)
            decision = can_process_run(facts_for(
                slot, before, await self._outlook.surroundings(name, self._parts.clock.now()), force))
            if not self._acts:
                decision = RunDecision(allowed=False, reason="this tradingd does not lead, or has only just begun to")
            if self.held:
                decision = RunDecision(allowed=False, reason=self.held)
            if not decision.allowed:
                raise NotAllowed(name, decision)
            cause = Cause(actor=actor, reason=reason or f"{slot.kind.value} run{' (forced)' if force else ''}")
            try:
                if force and before.state is ProcessState.TERMINATED:
                    before = await self.ledger.save(Change(before=before, after=before.reset_process(), cause=cause))
                return await self._claims.claim(before, before, slot, cause=cause)
            except (PyMongoError, StoreError):
                self.wake(name)  # it may have been claimed all the same; then its worker is still to be started
                raise

    async def wait_for(self, run: str) -> ProcessRun:
        """The run in its terminal state."""
        if run in self.live:
            return await asyncio.shield(self.live[run].ended)
        store = self._parts.store
        return await store.call(store.processes.run, run)

    async def has_finished(self, name: str, trading_day: str) -> bool:
        """Whether the newest run of `name` is a success of `trading_day`."""
        control = await self.ledger.seen(name)
        last = control.last_success
        return control.newest_run_succeeded and last is not None and last.trading_day == trading_day

    async def controls(self) -> dict[str, ProcessControl]:
        """How every process stands, as it was last seen."""
        return {name: await self.ledger.seen(name) for name in self.plan.processes}

    async def _is_taken(self, run: str) -> bool:
        store = self._parts.store
        while run in self.live:
            try:
                return (await store.call(store.processes.run, run)).state is not RunState.STARTING
            except PyMongoError:
                await self._parts.timers.pause(LOOK_AGAIN_S)
        return True

    async def _begin_term(self) -> None:
        rests = self._rests
        try:
            await self.recover()
        except (PyMongoError, TradingError) as error:
            log.warning("term_not_begun", reason=str(error)[:200])
            if self._rests == rests:
                self._parts.timers.after("begin term", LOOK_AGAIN_S, self.new_term)
            return
        self.wake_all()

    # --- small things -----------------------------------------------------------------------------------------

    def _something_ended(self, name: str) -> None:
        self.wake(name)
        for each, process in self.plan.processes.items():
            if process.on_success_of == name:
                self.wake(each)
        self.wake_waiting()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("bug_in_runner", error=repr(task.exception()), exc_info=task.exception())
            self._parts.watch.bug(repr(task.exception()))


def _about(ticks: tuple[Tick, ...]) -> str:
    if not ticks:
        return "the schedule was looked at"
    return f"{len(ticks)} slot(s) without a run; the last, {ticks[-1].slot}: {ticks[-1].reason}"
