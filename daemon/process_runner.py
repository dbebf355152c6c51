"""ProcessRunner: observe workers, decide (pure), act. The only place that starts, stops and settles runs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, replace
from graphlib import TopologicalSorter

from pymongo.errors import PyMongoError

from daemon.async_store import AsyncStore
from daemon.leadership import Leadership
from daemon.run_conditions import RunDecision, RunFacts, can_process_run
from daemon.run_outcome import Intervention, settled
from daemon.schedule import FireTime
from daemon.worker_identity import is_alive
from daemon.worker_spec import WorkerSpec
from daemon.workers import WorkerExit, Workers
from trading.clock import Clock
from trading.config import ProcessConfig
from trading.control.process_control import Desired, ProcessControl
from trading.control.process_run import Kind, ProcessRun, RunState, run_id
from trading.control.process_state import ProcessState
from trading.errors import ConcurrentUpdate, TradingError
from trading.log import get_log

log = get_log()


class NotAllowed(TradingError):
    """A run was refused; nothing was started."""

    def __init__(self, process: str, decision: RunDecision) -> None:
        super().__init__(f"{process} was not started: {decision.reason}.")
        self.decision = decision


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What a run is for. The same slot can never be claimed twice."""

    key: str
    kind: Kind
    trading_day: str
    nominals: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RunnerParts:
    """What the runner works with."""

    store: AsyncStore
    workers: Workers
    leadership: Leadership
    clock: Clock
    broker_problem: Callable[[], str | None]  # None: ready
    trading_day: Callable[[], str]
    worker_spec: Callable[[ProcessRun], WorkerSpec]


class ProcessRunner:
    """The state machine in motion. All methods run on the event loop; the store is called off it."""

    def __init__(self, parts: RunnerParts, processes: Mapping[str, ProcessConfig]) -> None:
        self._parts = parts
        self.processes = processes
        self.waiting: dict[str, tuple[Slot, str]] = {}  # slots that may still run, and why not yet
        self._ended: dict[str, asyncio.Future[ProcessRun]] = {}
        self._interventions: dict[str, Intervention] = {}
        self._deadlines: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    async def recover(self) -> int:
        """Settle what a dead daemon left RUNNING; how many runs that were. Before anything is started."""
        store = self._parts.store
        runs = await store.call(store.processes.active_runs)
        for run in runs:
            if run.worker is not None and is_alive(run.worker):
                log.warning("orphan_found", run=run.id, pid=run.worker.pid, effect="it dies with its zygote")
            lost = replace(run, state=RunState.LOST, ended=self._parts.clock.now(),
                           reason="its daemon died while it ran; whether it did its work is not known")
            control = await store.call(store.processes.control, run.process)
            await store.call(store.processes.end, control.finish_process(lost), lost)
            log.warning("run_lost", run=run.id)
        return len(runs)

    async def run_single_process(self, name: str, slot: Slot, force: bool = False) -> ProcessRun:
        """Start `name` for `slot` if the rules allow it; the run that was started.

        Raises:
            NotAllowed: the reason is a sentence.
            ConcurrentUpdate: the slot was claimed by somebody else.
        """
        control, decision = await self._decision(name, slot.trading_day, force)
        if not decision.allowed:
            raise NotAllowed(name, decision)
        if force and control.state is ProcessState.TERMINATED:
            control = await self._save(control.reset_process(), "forced")
        return await self._start(control, slot)

    async def wait_for(self, run: str) -> ProcessRun:
        """The run in its terminal state."""
        return await asyncio.shield(self._ended[run])

    async def run_all_processes(self, trading_day: str, again: bool,
                                tell: Callable[[str, ProcessRun | str], None]) -> bool:
        """Run a whole trading day at once, in the order of dependencies and of the file; whether all went well.

        What already finished on this trading day is not repeated, unless `again` or something before it had to be
        run now. `tell` hears of each process: its terminal run, or why it was left out.
        """
        all_well, repeat = True, again
        for name in self._day_order():
            if not repeat and await self._has_finished(name, trading_day):
                tell(name, f"already finished on {trading_day}")
                continue
            repeat = True
            outcome = await self._run_in_day(name, trading_day)
            tell(name, outcome)
            all_well &= not isinstance(outcome, str) and outcome.state is RunState.FINISHED
            if self._draining:
                return False
        return all_well

    async def slot_due(self, name: str, fire: FireTime) -> None:
        """A cron slot has come: start it, let it wait for what it needs, or say why it is left out."""
        slot = Slot(key=fire.instant.strftime("%Y-%m-%dT%H:%M:%SZ"), kind=Kind.SCHEDULED,
                    trading_day=self._parts.trading_day(), nominals=tuple(map(str, fire.nominals)))
        await self._try_slot(name, slot)

    async def stop_process(self, name: str, reason: str) -> ProcessControl:
        """Ask a running process to stop: SIGTERM, its grace, then SIGKILL to the whole group."""
        store = self._parts.store
        control = await store.call(store.processes.control, name)
        control = await self._save(control.stop_process(reason), f"stop: {reason}")
        assert control.active_run is not None
        self._spawn(self._escalate(control.active_run, name, Intervention(stop_reason=reason)))
        return control

    async def wish(self, name: str, desired: Desired, reason: str) -> ProcessControl:
        """Pause or resume a process."""
        store = self._parts.store
        control = await store.call(store.processes.control, name)
        return await self._save(control.wished(desired), f"{desired}: {reason}")

    async def reset_process(self, name: str, reason: str) -> ProcessControl:
        """Forget the last outcome, so that the process can run again."""
        store = self._parts.store
        control = await store.call(store.processes.control, name)
        return await self._save(control.reset_process(), f"reset: {reason}")

    async def drain(self, tell: Callable[[str], None]) -> None:
        """Start nothing more, ask all that runs to stop, and wait until it has."""
        self._draining = True
        self.waiting.clear()
        running = {run: future for run, future in self._ended.items() if not future.done()}
        for run in running:
            name = run.partition("@")[0]
            tell(f"waiting for {name} to stop (at most {self.processes[name].grace} s)")
            try:
                await self.stop_process(name, "tradingd is stopping")
            except (TradingError, PyMongoError) as error:
                log.warning("stop_not_recorded", run=run, reason=str(error)[:200])
                self._spawn(self._escalate(run, name, Intervention(stop_reason="tradingd is stopping")))
        if running:
            await asyncio.wait(running.values(), timeout=max(self.processes[run.partition("@")[0]].grace
                                                             for run in running) + 10)

    def on_exit(self, end: WorkerExit) -> None:
        """A worker ended; settling goes on until the store has it."""
        self._spawn(self._settle(end))

    def retry_waiting(self) -> None:
        """Something changed that slots may be waiting for."""
        for name, (slot, _reason) in list(self.waiting.items()):
            self._spawn(self._try_slot(name, slot))

    async def _has_finished(self, name: str, trading_day: str) -> bool:
        store = self._parts.store
        control = await store.call(store.processes.control, name)
        last = control.last_success
        return control.state is ProcessState.FINISHED and last is not None and last.trading_day == trading_day

    async def _run_in_day(self, name: str, trading_day: str) -> ProcessRun | str:
        process = self.processes[name]
        for attempt in range(1, process.max_attempts + 1):
            try:
                run = await self.run_single_process(name, Slot(key=f"day-{trading_day}", kind=Kind.DAY,
                                                               trading_day=trading_day))
            except NotAllowed as refusal:
                return refusal.decision.reason
            ended = await self.wait_for(run.id)
            if ended.state is not RunState.ERROR or attempt == process.max_attempts or self._draining:
                return ended
            await asyncio.sleep(min(process.retry_delay, 2))
        raise AssertionError("max_attempts is positive")

    def _day_order(self) -> list[str]:
        """Dependencies first; among the ready ones the order of the file."""
        place = {name: index for index, name in enumerate(self.processes)}
        sorter = TopologicalSorter({name: process.after for name, process in self.processes.items()})
        sorter.prepare()
        ready, ordered = list(sorter.get_ready()), []
        while ready:
            name = min(ready, key=place.__getitem__)
            ready.remove(name)
            ordered.append(name)
            sorter.done(name)
            ready.extend(sorter.get_ready())
        return [name for name in ordered if self.processes[name].enabled]

    async def _try_slot(self, name: str, slot: Slot) -> None:
        if self._draining or name not in self.processes:
            return
        try:
            await self.run_single_process(name, slot)
            self.waiting.pop(name, None)
        except NotAllowed as refusal:
            if refusal.decision.wait and slot.trading_day == self._parts.trading_day():
                self.waiting[name] = (slot, refusal.decision.reason)
            else:
                self.waiting.pop(name, None)
            log.info("slot_not_started", process=name, slot=slot.key, reason=refusal.decision.reason)
        except ConcurrentUpdate as error:
            self.waiting.pop(name, None)
            log.info("slot_claimed_elsewhere", process=name, slot=slot.key, reason=str(error))
        except PyMongoError as error:
            self.waiting[name] = (slot, "the store does not answer")
            log.error("slot_not_started", process=name, slot=slot.key, reason=str(error)[:200])

    async def _decision(self, name: str, trading_day: str, force: bool) -> tuple[ProcessControl, RunDecision]:
        store, process = self._parts.store, self.processes[name]
        controls = await store.call(store.processes.controls, (name, *process.after))
        problem = self._parts.broker_problem()
        facts = RunFacts(process=process, control=controls.pop(name), upstream=controls, trading_day=trading_day,
                         is_leader=self._parts.leadership.is_leader, broker_ready=problem is None,
                         broker_reason=problem or "", force=force)
        return facts.control, can_process_run(facts)

    async def _start(self, control: ProcessControl, slot: Slot) -> ProcessRun:
        store, name = self._parts.store, control.name
        attempt = 1
        if slot.kind is not Kind.SCHEDULED:
            attempt += await store.call(store.processes.attempts, name, slot.key)
        run = ProcessRun(id=run_id(name, slot.key, attempt), process=name, slot=slot.key, attempt=attempt,
                         kind=slot.kind, trading_day=slot.trading_day, state=RunState.STARTING,
                         created=self._parts.clock.now(), owner=self._parts.leadership.nonce, nominals=slot.nominals)
        spec = self._parts.worker_spec(run)
        run = replace(run, log=spec.log)
        await store.call(store.processes.begin, control.start_process(run), run)
        self._ended[run.id] = asyncio.get_running_loop().create_future()
        self._deadlines[run.id] = asyncio.create_task(self._enforce_timeout(run.id, name))
        await self._parts.workers.run(asdict(spec))
        log.info("run_started", run=run.id)
        return run

    async def _enforce_timeout(self, run: str, name: str) -> None:
        allowed_s = self.processes[name].timeout
        await asyncio.sleep(allowed_s)
        log.error("run_timed_out", run=run, allowed_s=allowed_s)
        await self._escalate(run, name, Intervention(timed_out_after_s=allowed_s))

    async def _escalate(self, run: str, name: str, done: Intervention) -> None:
        self._interventions[run] = done
        await self._parts.workers.ask_to_stop(run)
        ended, _ = await asyncio.wait({self._ended[run]}, timeout=self.processes[name].grace)
        if not ended:
            self._interventions[run] = replace(done, killed=True)
            log.warning("run_killed", run=run, grace_s=self.processes[name].grace)
            await self._parts.workers.kill(run)

    async def _settle(self, end: WorkerExit) -> None:
        if end.run not in self._ended:
            return
        ended = await self._until_stored(lambda: self._write_end(end))
        deadline = self._deadlines.pop(end.run, None)
        if deadline is not None:
            deadline.cancel()
        self._interventions.pop(end.run, None)
        if not self._ended[end.run].done():
            self._ended[end.run].set_result(ended)
        log.info("run_ended", run=ended.id, state=ended.state.value, reason=ended.reason)
        self.retry_waiting()
        self._forget_old_runs()

    async def _write_end(self, end: WorkerExit) -> ProcessRun:
        processes = self._parts.store.processes
        run = await self._parts.store.call(processes.run, end.run)
        if not run.active:
            return run  # an earlier attempt to write this got through
        control = await self._parts.store.call(processes.control, run.process)
        done = self._interventions.get(end.run, Intervention())
        ended = settled(run, end, done, self._parts.clock.now())
        await self._parts.store.call(processes.end, control.finish_process(ended), ended)
        return ended

    async def _until_stored(self, write: Callable[[], Awaitable[ProcessRun]]) -> ProcessRun:
        """The end of a worker is a fact; it is written however long the store is away."""
        from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential

        async for attempt in AsyncRetrying(wait=wait_exponential(multiplier=0.1, max=5),
                                           retry=retry_if_exception_type((PyMongoError, ConcurrentUpdate))):
            with attempt:
                return await write()
        raise AssertionError("retries never end")

    async def _save(self, control: ProcessControl, cause: str) -> ProcessControl:
        store = self._parts.store
        return await store.call(store.processes.save_control, control, {"cause": cause})

    def _forget_old_runs(self) -> None:
        done = [run for run, future in self._ended.items() if future.done()]
        for run in done[:-100]:
            del self._ended[run]

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
