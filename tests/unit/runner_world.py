"""A small world for the process runner: daemons that die or freeze, a lease, workers with a will, people.

Everything happens on one event loop that is driven until nothing more can happen; nothing sleeps, nothing is patched.
Time passes only in `advance`, from one thing that is due to the next.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from memory_processes import MemoryProcesses
from pymongo.errors import PyMongoError
from runner_fakes import (
    NEVER,
    WRITES,
    Behaviour,
    Body,
    FakeAlerts,
    FakeClock,
    FakeLeadership,
    FakeMetrics,
    FakeStore,
    FakeTimers,
    FakeWorkers,
    Fault,
    Loop,
    Worker,
)

from daemon.children.worker_spec import WorkerSpec
from daemon.decisions.plan import Plan
from daemon.decisions.slot_facts import fingerprint
from daemon.decisions.worker_exit import WorkerExit
from daemon.leadership import Leadership
from daemon.process_runner import ProcessRunner
from daemon.runner.runner_parts import RunnerParts
from daemon.runner.watch import Watch
from daemon.store.async_store import AsyncStore
from trading.control.due_slot import DueSlot
from trading.control.process_run import Kind, ProcessRun, WorkerIdentity
from trading.control.trading_day import TradingDays
from trading.errors import StoreError, TradingError
from trading.process_config import ProcessConfig

START = datetime(2026, 3, 2, 20, 0, 30, 123_456, tzinfo=UTC)
TTL_S, TRUSTED_S, RENEW_S, POLL_S = 10.0, 8.0, 3.0, 1.0


class Daemon:
    """One life of a daemon: contends for the lease, and runs a ProcessRunner in each of its terms."""

    def __init__(self, world: "World", host: str) -> None:
        self.world, self.host = world, host
        me = world.new_identity(host)
        self.leadership = FakeLeadership(world, nonce=f"{host}-{me.pid}", node=host, me=me)
        self.timers, self.store = FakeTimers(world), FakeStore(self)
        self.runners: list[ProcessRunner] = []
        self.faults: list[tuple[frozenset[str] | None, int, Fault]] = []
        self.leads = self.is_dead = self.is_frozen = False
        self.lease_cut_until_s = -NEVER
        self.tends_at_s = world.mono_s
        self._held: list[asyncio.Future[None]] = []
        self._exits: list[WorkerExit] = []

    @property
    def runner(self) -> ProcessRunner | None:
        return self.runners[-1] if self.leads else None

    @property
    def acts(self) -> bool:
        return not self.is_dead and not self.is_frozen

    async def turn(self) -> None:
        """Let others go first, as the world decides; wait while this daemon is frozen, for ever when it is dead."""
        for _ in range(self.world.random.randrange(4)):
            await asyncio.sleep(0)
        while not self.acts:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._held.append(future)
            await future

    def order(self, on: frozenset[str] | None, skip: int, fault: Fault) -> None:
        """`fault` at the statement after the next `skip` ones of this kind (None: all but writes)."""
        self.faults.append((on, skip, fault))

    def fault_of(self, statement: str) -> Fault | None:
        for number, (on, skip, fault) in enumerate(self.faults):
            if (statement in WRITES) if on is not None else (statement not in WRITES):
                self.faults[number] = (on, skip - 1, fault)
                if skip == 0:
                    del self.faults[number]
                    return fault
                return None
        return None

    def workers_of(self, run: str) -> list[Worker]:
        return [each for each in self.world.workers if each.daemon is self and each.spec.run == run and each.alive]

    def worker_ended(self, end: WorkerExit) -> None:
        if self.is_dead:
            return
        self._exits.append(end)
        if not self.is_frozen:
            self.world.soon(self._deliver)

    def kill(self) -> None:
        """SIGKILL: its workers die with it, at once or a moment later."""
        self.is_dead, self.leads, self.leadership.leads_until_s = True, False, -NEVER
        self.world.alive.discard(self.leadership.me)
        for worker in self.world.workers:
            if worker.daemon is self and worker.alive:
                worker.dies_at_s = self.world.mono_s + self.world.orphans_live_s

    def freeze(self) -> None:
        self.is_frozen = True

    def thaw(self) -> None:
        self.is_frozen = False
        for future in self._held:
            future.set_result(None)
        self._held.clear()
        self.world.soon(self._deliver)
        self.read_configuration()

    def read_configuration(self) -> None:
        if self.acts and self.runner is not None and self.runner.plan is not self.world.plan:
            self.world.spawn(self.runner.use(self.world.plan))

    @property
    def next_s(self) -> float:
        return min(self.tends_at_s, self.timers.next_s) if self.acts else NEVER

    def step(self) -> None:
        """Whatever is due of it."""
        if self.world.mono_s >= self.tends_at_s:
            self._tend_lease()
        self.timers.ring()

    def _deliver(self) -> None:
        while self._exits and self.acts:
            end = self._exits.pop(0)
            for runner in self.runners:
                runner.on_exit(end)

    def _tend_lease(self) -> None:
        world, mine = self.world, self.leadership
        self.tends_at_s = world.mono_s + (RENEW_S if self.leads else POLL_S)
        if world.store_is_away or world.mono_s < self.lease_cut_until_s:
            return
        if not self.leads and not world.lease_can_be_had():
            return
        holder, token = world.take_or_renew(mine)
        if holder.nonce != mine.nonce:
            mine.leads_until_s = -NEVER
            self.leads = False
            self.runners[-1].rest()
            return
        is_new, mine.token = token != mine.token or not mine.is_leader, token
        mine.leads_until_s = world.mono_s + TRUSTED_S
        if not self.leads:
            self._begin_leading()
        elif is_new:
            self.runners[-1].new_term()

    def _begin_leading(self) -> None:
        self.leads, self.tends_at_s = True, self.world.mono_s + RENEW_S
        runner = ProcessRunner(RunnerParts(
            store=cast(AsyncStore, self.store), workers=FakeWorkers(self), clock=FakeClock(self.world),
            leadership=cast(Leadership, self.leadership), timers=self.timers, broker_problem=lambda: None,
            watch=Watch(FakeAlerts(self.world), FakeMetrics()), worker_spec=_spec,
            look_at_clock=lambda: self.world.before_decisions(),  # noqa: PLW0108 (tests replace it)
            is_alive=lambda worker: self.world.is_alive(self.host, worker),
            kill_orphan=self.world.kill_orphan), self.world.plan)
        self.runners.append(runner)
        self.world.spawn(self._recovered(runner))

    async def _recovered(self, runner: ProcessRunner) -> None:
        try:
            await runner.recover()
        except (PyMongoError, StoreError):
            self.kill()  # the service ends with an error, and its manager starts it again
        if self.leads and self.runner is runner:
            runner.begin()


class World:
    """All that there is. `advance` lets time pass, `soon` and `spawn` act on the loop."""

    def __init__(self, processes: dict[str, ProcessConfig], *, start: datetime = START, seed: int = 0,
                 resources: dict[str, int] | None = None, zone: str = "UTC") -> None:
        self.loop, self.random = Loop(), random.Random(seed)
        self.wall, self.mono_s = start, 1000.0
        self.processes = MemoryProcesses()
        self.plan = Plan(processes=processes, zone=ZoneInfo(zone), days=TradingDays(zone=ZoneInfo(zone)),
                         resources=resources or {})
        self.store_is_away = False
        self.before_decisions: Callable[[], None] = lambda: None
        self.orphans_live_s = 0.0
        self.daemons: list[Daemon] = []
        self.workers: list[Worker] = []
        self.bodies: list[Body] = []
        self.behaviours: dict[str, Behaviour] = {}  # of the next worker of a process
        self.alive: set[WorkerIdentity] = set()
        self.problems: list[str] = []
        self.answers: list[object] = []  # of what operators asked for
        self.schedules: dict[str, ProcessConfig] = {}  # that were ever in force, by fingerprint
        self._remember_schedules()
        self._pid = self._manual = 0
        self._lease: FakeLeadership | None = None
        self._lease_token, self._lease_until_s = 0, -NEVER
        self._tasks: set[asyncio.Task[Any]] = set()
        self.loop.set_exception_handler(lambda _, context: self.problems.append(repr(context)))

    # --- daemons and workers ----------------------------------------------------------------------------------

    def start_daemon(self, host: str = "here") -> Daemon:
        daemon = Daemon(self, host)
        self.daemons.append(daemon)
        self.settle()
        return daemon

    @property
    def leader(self) -> Daemon | None:
        return next((each for each in self.daemons if each.acts and each.leads and each.leadership.is_leader), None)

    def new_identity(self, host: str) -> WorkerIdentity:
        self._pid += 1
        identity = WorkerIdentity(boot_id=host, pid=self._pid, start_ticks=self._pid)
        self.alive.add(identity)
        return identity

    def is_alive(self, host: str, one: WorkerIdentity) -> bool:
        """As seen from `host`."""
        return one.boot_id == host and (one in self.alive or any(
            each.identity == one and each.alive for each in self.workers))

    def fork(self, daemon: Daemon, spec: WorkerSpec) -> None:
        behaviour = self.behaviours.pop(spec.process, Behaviour())
        identity = self.new_identity(daemon.host)
        self.alive.discard(identity)
        self.workers.append(Worker(self, daemon, spec, identity, behaviour, born_s=self.mono_s,
                                   at_s=self.mono_s + behaviour.takes_after_s))

    def kill_orphan(self, identity: WorkerIdentity, run: str) -> None:
        for worker in self.workers:
            if worker.identity == identity:
                worker.exit(-9)

    def body_begins(self, body: Body) -> None:
        """Where the promise is kept: who holds a slot runs it, once at a time, and once at all where it may not be
        repeated."""
        for other in self.bodies:
            if (other.process, other.slot) == (body.process, body.slot) and other.attempt == body.attempt:
                self.problems.append(f"two bodies of one attempt: {body} and {other}")
        self.bodies.append(body)

    # --- the lease --------------------------------------------------------------------------------------------

    def lease_can_be_had(self) -> bool:
        holder = self._lease
        is_gone = holder is not None and holder.me not in self.alive
        return holder is None or is_gone or self.mono_s >= self._lease_until_s

    def take_or_renew(self, wanted: FakeLeadership) -> tuple[FakeLeadership, int]:
        """The holder and its token; taken if it can be had, extended if it is ours."""
        if self._lease is None or self.mono_s >= self._lease_until_s or self._lease.me not in self.alive:
            self._lease, self._lease_token = wanted, self._lease_token + 1
        if self._lease is wanted:
            self._lease_until_s = self.mono_s + TTL_S
        return self._lease, self._lease_token

    # --- time and the loop ------------------------------------------------------------------------------------

    def soon(self, act: Callable[[], None]) -> None:
        self.loop.call_soon(act)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.problems.append(repr(task.exception()))

    def ask(self, work: Callable[[ProcessRunner], Coroutine[Any, Any, Any]]) -> object:
        """What an operator asks of the leader, and the answer or refusal, if it comes at once."""
        if self.leader is None or self.leader.runner is None:
            return None
        asked, before = work(self.leader.runner), len(self.answers)

        async def answered() -> None:
            try:
                self.answers.append(await asked)
            except (TradingError, PyMongoError) as refusal:
                self.answers.append(refusal)

        self.spawn(answered())
        self.settle()
        return self.answers[-1] if len(self.answers) > before else None

    def operator_says(self, name: str, verb: str) -> None:
        """One of stop, kill, pause, resume, reset."""
        self.ask(lambda runner: {
            "stop": lambda: runner.desk.stop_process(name, "enough", "operator"),
            "kill": lambda: runner.desk.kill_process(name, "enough", "operator"),
            "pause": lambda: runner.desk.pause_process(name, "wait"),
            "resume": lambda: runner.desk.resume_process(name, "go on"),
            "reset": lambda: runner.desk.reset_process(name, "afresh")}[verb]())

    def operator_runs(self, name: str, force: bool) -> None:
        """Each time a slot of its own."""
        self._manual += 1
        now = self.wall
        slot = DueSlot(key=f"manual-{self._manual}", kind=Kind.MANUAL, due=now, not_before=now,
                       trading_day=self.plan.days.day_of(now))

        async def run(runner: ProcessRunner) -> ProcessRun:
            return await runner.run_single_process(name, slot, force)

        self.ask(run)

    def settle(self) -> None:
        """Let everything happen that can happen now."""
        while True:
            self.loop.run_until_idle()
            due = [each for each in (*self.workers, *self.daemons) if each.next_s <= self.mono_s]
            if not due:
                return
            for each in due:
                self.soon(each.step)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        end_s = self.mono_s + seconds
        self.settle()
        while True:
            next_s = min(each.next_s for each in (*self.workers, *self.daemons))
            moment_s = min(max(next_s, self.mono_s + 0.001), end_s)
            self.wall += timedelta(seconds=moment_s - self.mono_s)
            self.mono_s = moment_s
            self.settle()
            if self.mono_s >= end_s:
                return

    def step_clock(self, step: timedelta) -> None:
        """Somebody sets the wall clock."""
        self.wall += step
        for daemon in self.daemons:
            if daemon.runner is not None and daemon.acts:
                self.soon(daemon.runner.wake_all)
        self.settle()

    def edit(self, processes: dict[str, ProcessConfig]) -> None:
        """The configuration is edited; whoever believes to lead takes it over, the others when they come to lead."""
        self.plan = replace(self.plan, processes=processes)
        self._remember_schedules()
        for daemon in self.daemons:
            daemon.read_configuration()
        self.settle()

    def _remember_schedules(self) -> None:
        for process in self.plan.processes.values():
            self.schedules[fingerprint(process, self.plan.zone_of(process))] = process

    def heal(self, host: str) -> None:
        """No more faults: everybody goes on, one daemon at least runs, workers behave, until all is quiet."""
        self.store_is_away = False
        for daemon in self.daemons:
            daemon.faults.clear()
            daemon.lease_cut_until_s = -NEVER
            if daemon.is_frozen and not daemon.is_dead:
                daemon.thaw()
        self.behaviours.clear()
        if all(daemon.is_dead for daemon in self.daemons):
            self.start_daemon(host)
        self.advance(60)
        through = [row["evaluated_through"] for row in self.processes.states_kept.values()]
        ahead = max((moment for moment in through if moment is not None), default=self.wall)
        if ahead > self.wall:
            self.step_clock(ahead - self.wall)
        self.advance(400)
        self.advance(55 - self.wall.second if self.wall.second < 55 else 115 - self.wall.second)

    def close(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_idle()
        self.loop.close()


def _spec(run: ProcessRun, plan: Plan) -> WorkerSpec:
    assert run.process in plan.processes, "a run is told the configuration that it was decided by"
    return WorkerSpec(run=run.id, process=run.process, slot=run.slot, kind=run.kind.value,
                      attempt=run.attempt, owner=run.owner, generation=0,
                      token=run.token, trading_day=run.trading_day, log=f"{run.id}.log", uri="", database="",
                      timeout_s=1.0, clock_offset_s=0.0, config={}, state="", socket="")
