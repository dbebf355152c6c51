"""What operators may change by hand: stop, kill, pause, resume, reset, skip, resolve. Each with who and why."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from daemon.ledger import Ledger
from daemon.live_runs import LiveRuns
from daemon.run_outcome import Intervention, Why
from daemon.settlement import Settlement
from trading.clock import Clock
from trading.control.change import Cause, Change
from trading.control.process_control import Desired, ProcessControl
from trading.control.process_run import ProcessRun, RunState
from trading.errors import ConcurrentUpdate

_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class OperatorDesk:
    """Carries out what is asked for, or raises a TradingError that says why not."""

    ledger: Ledger
    live: LiveRuns
    settlement: Settlement
    clock: Clock
    wake: Callable[[str], None]

    async def stop_process(self, name: str, reason: str, actor: str) -> ProcessControl:
        """Ask a running process to stop: SIGTERM, its grace, then SIGKILL to the whole group."""
        cause = Cause(actor=actor, reason=f"stop: {reason}")
        control = await self.change(name, lambda control: control.stop_process(reason), cause)
        assert control.active_run is not None
        await self.live.intervene(control.active_run, Intervention(why=Why.STOPPED, reason=reason))
        return control

    async def kill_process(self, name: str, reason: str, actor: str) -> ProcessControl:
        """SIGKILL to the whole group of a running process, at once."""
        control = await self.stop_process(name, f"killed: {reason}", actor)
        assert control.active_run is not None
        await self.live.kill(control.active_run)
        return control

    async def wish(self, name: str, desired: Desired, reason: str, actor: str = "operator") -> ProcessControl:
        """Pause or resume a process."""
        return await self.change(name, lambda control: control.wished(desired, reason),
                                 Cause(actor=actor, reason=f"{desired.value}: {reason}"))

    async def reset_process(self, name: str, reason: str, actor: str = "operator") -> ProcessControl:
        """Forget the last outcome, so that the process can run again."""
        return await self.change(name, lambda control: control.reset_process(),
                                 Cause(actor=actor, reason=f"reset: {reason}"))

    async def resolve(self, run: str, state: RunState, reason: str, actor: str) -> ProcessRun:
        """Say what became of a lost run: FINISHED or ERROR."""
        return await self.settlement.resolve(run, state, Cause(actor=actor, reason=reason))

    async def rewind(self, names: list[str], cause: Cause) -> None:
        """After the clock was set back: go on from now instead of waiting for it to pass where it has been."""
        def back(control: ProcessControl) -> ProcessControl:
            now, through = self.clock.now(), control.evaluated_through
            return replace(control, evaluated_through=now) if through is not None and through > now else control

        for name in names:
            await self.change(name, back, cause)

    async def change(self, name: str, decide: Callable[[ProcessControl], ProcessControl],
                     cause: Cause) -> ProcessControl:
        """Write what `decide` makes of the process; after a race it is asked again."""
        async with self.ledger.lock(name):
            for _ in range(_TRIES):
                control = await self.ledger.known(name)
                try:
                    written = await self.ledger.save(Change(before=control, after=decide(control), cause=cause))
                except ConcurrentUpdate:
                    continue
                self.wake(name)
                return written
        raise ConcurrentUpdate(f"process {name}", control.version)
