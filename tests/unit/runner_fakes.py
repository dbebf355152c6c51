"""The parts of a small world around the process runner: a loop, clocks, timers, a lease, a store that fails, workers.

A daemon reaches the world only through these, and each first waits for its turn: so a daemon that is dead or frozen
simply never gets an answer. runner_world.py puts them together.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from memory_processes import MemoryProcesses
from pymongo.errors import NetworkTimeout

from daemon.children.worker_spec import WorkerSpec
from daemon.decisions.worker_exit import WorkerExit
from trading.control.alert import AlertKind
from trading.control.process_run import WorkerIdentity
from trading.errors import ConcurrentUpdate

if TYPE_CHECKING:
    from runner_world import Daemon, World

BEAT_S, NEVER = 5.0, float("inf")
WRITES = frozenset({"write", "fence", "rename"})


class Loop(asyncio.SelectorEventLoop):
    """Knows when nothing more can happen by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._calls_made = 0

    def call_soon(self, callback: Any, *values: Any, context: Any = None) -> asyncio.Handle:
        self._calls_made += 1
        return super().call_soon(callback, *values, context=context)

    def run_until_idle(self) -> None:
        for _ in range(20_000):
            before = self._calls_made
            super().call_soon(self.stop)
            self.run_forever()
            if self._calls_made == before:
                return
        raise AssertionError("the runner never comes to rest")


class Fault(StrEnum):
    """What happens to one statement of a daemon."""

    NOT_APPLIED = "never arrives; the daemon hears of a time-out"
    NO_ANSWER = "is applied; the daemon hears of a time-out"
    CRASH_BEFORE = "the daemon is killed before it"
    CRASH_AFTER = "the daemon is killed behind it"
    FREEZE_BEFORE = "the daemon is frozen before it; it is sent when the daemon goes on"
    FREEZE_AFTER = "the daemon is frozen before it reads the answer"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What a worker will do if it is let."""

    takes_after_s: float = 1.0
    hears_answer: bool = True  # of its claim, the first time
    works_s: float = 10.0
    code: int = 0  # negative: killed by that signal, without a last word
    says_end: bool = True
    obeys: bool = True


@dataclass
class Body:
    """The job code of one attempt, while it runs."""

    process: str
    slot: str
    attempt: int
    token: int
    began_s: float
    ended_s: float | None = None


@dataclass
class Worker:
    """One worker process: takes its run, works, says how it ends, exits."""

    world: "World"
    daemon: "Daemon"
    spec: WorkerSpec
    identity: WorkerIdentity
    behaviour: Behaviour
    born_s: float
    at_s: float  # when it does its next step
    beats_at_s: float = NEVER
    dies_at_s: float = NEVER  # an orphan's end
    body: Body | None = None
    last_word: int | None = None
    alive: bool = True

    @property
    def next_s(self) -> float:
        return min(self.at_s, self.beats_at_s, self.dies_at_s) if self.alive else NEVER

    def step(self) -> None:
        now_s = self.world.mono_s
        if now_s >= self.dies_at_s:
            self.exit(-9)
        elif now_s >= self.at_s:
            if self.body is None:
                self._take()
            elif self.last_word is None and self.behaviour.code >= 0:
                self._say_end(self.behaviour.code)
            else:
                self.exit(self.behaviour.code if self.last_word is None else self.last_word)
        elif now_s >= self.beats_at_s:
            self._beat()

    def asked_to_stop(self) -> None:
        if self.body is None:
            self.exit(-15)
        elif self.behaviour.obeys and self.last_word is None:
            self.behaviour, self.at_s = replace(self.behaviour, code=143), self.world.mono_s + 1

    def exit(self, code: int) -> None:
        if not self.alive:
            return
        self.alive = False
        if self.body is not None:
            self.body.ended_s = self.world.mono_s
        self.daemon.worker_ended(WorkerExit(run=self.spec.run, code=code))

    def _take(self) -> None:
        world, spec = self.world, self.spec
        self.at_s = world.mono_s + 1
        if world.store_is_away:
            if world.mono_s > self.born_s + spec.start_timeout_s:
                self.exit(75)
            return
        try:
            world.processes.take(spec.run, spec.owner, self.identity, world.wall)
        except ConcurrentUpdate:
            self.exit(75)
            return
        if not self.behaviour.hears_answer:
            self.behaviour = replace(self.behaviour, hears_answer=True)
            return
        self.body = Body(spec.process, spec.slot, spec.attempt, spec.token, world.mono_s)
        world.body_begins(self.body)
        self.at_s, self.beats_at_s = world.mono_s + self.behaviour.works_s, world.mono_s + BEAT_S

    def _say_end(self, code: int) -> None:
        self.last_word, self.at_s = code, self.world.mono_s + 0.5
        assert self.body is not None
        self.body.ended_s = self.world.mono_s
        if self.behaviour.says_end and not self.world.store_is_away:
            self.world.processes.say_end(self.spec.run, code)

    def _beat(self) -> None:
        self.beats_at_s = self.world.mono_s + BEAT_S
        if not self.world.store_is_away and self.world.processes.beat(self.spec.run, self.world.wall):
            self.asked_to_stop()


@dataclass(frozen=True)
class FakeClock:
    world: "World"

    def now(self) -> datetime:
        return self.world.wall

    def monotonic_s(self) -> float:
        return self.world.mono_s


@dataclass
class FakeTimers:
    """`at` by the wall clock, `after` and `pause` by the monotonic one; they ring when the world advances."""

    world: "World"
    instants: dict[str, tuple[datetime, Callable[[], None]]] = field(default_factory=dict)
    spans: dict[str, tuple[float, Callable[[], None]]] = field(default_factory=dict)
    pauses: list[tuple[float, "asyncio.Future[None]"]] = field(default_factory=list)

    def at(self, name: str, instant: datetime, ring: Callable[[], None]) -> None:
        self.instants[name] = (instant, ring)

    def after(self, name: str, delay_s: float, ring: Callable[[], None]) -> None:
        self.cancel(name)
        self.spans[name] = (self.world.mono_s + max(delay_s, 0.0), ring)

    def cancel(self, name: str) -> None:
        self.instants.pop(name, None)
        self.spans.pop(name, None)

    async def pause(self, delay_s: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pauses.append((self.world.mono_s + delay_s, future))
        await future

    @property
    def next_s(self) -> float:
        wall, mono_s = self.world.wall, self.world.mono_s
        moments = [mono_s + (instant - wall).total_seconds() for instant, _ in self.instants.values()]
        moments += [at_s for at_s, _ in self.spans.values()] + [at_s for at_s, _ in self.pauses]
        return min(moments, default=NEVER)

    def ring(self) -> None:
        wall, mono_s = self.world.wall, self.world.mono_s
        for name in [name for name, (instant, _) in self.instants.items() if instant <= wall]:
            self.instants.pop(name)[1]()
        for name in [name for name, (at_s, _) in self.spans.items() if at_s <= mono_s]:
            self.spans.pop(name)[1]()
        for pause in [pause for pause in self.pauses if pause[0] <= mono_s]:
            self.pauses.remove(pause)
            if not pause[1].done():
                pause[1].set_result(None)


@dataclass
class FakeLeadership:
    """The lease as one daemon knows it."""

    world: "World"
    nonce: str
    node: str
    me: WorkerIdentity
    token: int = 0
    leads_until_s: float = -NEVER

    @property
    def is_leader(self) -> bool:
        return self.world.mono_s < self.leads_until_s


@dataclass
class FakeStore:
    """Calls inline, in turns that the world deals out, with the faults that were ordered for this daemon."""

    daemon: "Daemon"

    @property
    def processes(self) -> MemoryProcesses:
        return self.daemon.world.processes

    async def call(self, method: Callable[..., Any], *values: Any) -> Any:
        daemon = self.daemon
        await daemon.turn()
        if getattr(method, "__self__", None) is not self.processes:
            return method(*values)
        fault = daemon.fault_of(method.__name__)
        if fault is Fault.CRASH_BEFORE:
            daemon.kill()
        if fault is Fault.FREEZE_BEFORE:
            daemon.freeze()
        await daemon.turn()
        if daemon.world.store_is_away or fault is Fault.NOT_APPLIED:
            raise NetworkTimeout("the store is away")
        try:
            return method(*values)
        finally:
            await self._answered(fault)

    async def _answered(self, fault: Fault | None) -> None:
        if fault is Fault.CRASH_AFTER:
            self.daemon.kill()
        if fault is Fault.FREEZE_AFTER:
            self.daemon.freeze()
        await self.daemon.turn()
        if fault is Fault.NO_ANSWER:
            raise NetworkTimeout("no answer came")


@dataclass
class FakeWorkers:
    daemon: "Daemon"

    async def run(self, spec: dict[str, Any]) -> None:
        await self.daemon.turn()
        self.daemon.world.fork(self.daemon, WorkerSpec(**spec))

    async def ask_to_stop(self, run: str) -> None:
        await self.daemon.turn()
        for worker in self.daemon.workers_of(run):
            worker.asked_to_stop()

    async def kill(self, run: str) -> None:
        await self.daemon.turn()
        for worker in self.daemon.workers_of(run):
            worker.exit(-9)


class FakeAlerts:
    """Only errors that nobody expected matter here."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def tell(self, kind: AlertKind, subject: str, text: str, severity: Any = None) -> None:
        if subject == "tradingd":
            self._world.problems.append(text)

    def over(self, kind: AlertKind, subject: str) -> None:
        return None


class FakeMetrics:
    def slot(self, process: str, outcome: str, late_s: float | None = None) -> None:
        return None

    def run_ended(self, process: str, state: Any, duration_s: float | None) -> None:
        return None

    def set_process_state(self, process: str, state: Any) -> None:
        return None
