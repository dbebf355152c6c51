"""What operators may change by hand: stop, kill, pause, resume, reset, skip, resolve. Each with who and why."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from pymongo.errors import PyMongoError

from daemon.decisions.run_outcome import Intervention, Why
from daemon.runner.ledger import Ledger
from daemon.runner.live_runs import LiveRuns
from daemon.runner.settlement import Settlement
from trading.clock import Clock
from trading.control.change import Cause, Change
from trading.control.process_control import Desired, ProcessControl
from trading.control.process_run import ProcessRun, RunState
from trading.control.process_state import InvalidTransition
from trading.errors import ConcurrentUpdate, StoreError
from trading.process_config import ProcessKind

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
        """Ask a running process to stop: SIGTERM, its grace, then SIGKILL to the whole group.

        Raises:
            InvalidTransition: it does not run.
            StoreError: it was asked all the same, but that could not be recorded.
        """
        try:
            control = await self._recorded_stop(name, reason, actor)
        except PyMongoError as error:
            await self._without_record(name, reason)
            raise StoreError(f"{name} was asked to stop, but the store does not answer, so nobody wrote down who "
                             f"asked: {str(error)[:120]}") from error
        assert control.active_run is not None
        await self.live.intervene(control.active_run, Intervention(why=Why.STOPPED, reason=reason))
        return control

    async def kill_process(self, name: str, reason: str, actor: str) -> ProcessControl:
        """SIGKILL to the whole group of a running process, at once; raises as `stop_process` does."""
        try:
            control = await self.stop_process(name, f"killed: {reason}", actor)
        finally:
            for each in self.live.running():
                if each.run.process == name:
                    await self.live.kill(each.run.id)
        return control

    async def _recorded_stop(self, name: str, reason: str, actor: str) -> ProcessControl:
        cause = Cause(actor=actor, reason=f"stop: {reason}")
        return await self.change(name, lambda control: control.stop_process(reason), cause)

    async def _without_record(self, name: str, reason: str) -> None:
        """A person wants it to stop; that does not wait for the store."""
        self.ledger.doubt(name)
        for each in self.live.running():
            if each.run.process == name:
                await self.live.intervene(each.run.id, Intervention(why=Why.STOPPED, reason=reason))

    async def pause_process(self, name: str, reason: str, actor: str = "operator",
                            until: datetime | None = None) -> ProcessControl:
        """Start it no more. A batch run works to its end; a service, which has none of its own, is stopped."""
        written = await self.change(name, lambda control: control.wished(Desired.PAUSED, reason, until),
                                    Cause(actor=actor, reason=f"pause: {reason}"))
        return await self.stop_process(name, f"paused: {reason}", actor) if name in self._services() else written

    async def stop_services(self, reason: str, actor: str) -> None:
        """Ask every service that works to stop, as none has an end of its own."""
        for name in self._services():
            with suppress(InvalidTransition):  # it has just ended
                await self.stop_process(name, reason, actor)

    def _services(self) -> list[str]:
        """The services that are at work."""
        return [each.run.process for each in self.live.running() if each.process.kind is ProcessKind.SERVICE]

    async def resume_process(self, name: str, reason: str, actor: str = "operator") -> ProcessControl:
        """Let it run again when it is next due."""
        return await self.change(name, lambda control: control.wished(Desired.ENABLED),
                                 Cause(actor=actor, reason=f"resume: {reason}"))

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
            if through is None or through <= now:
                return control
            return replace(control, evaluated_through=now, utc_offset_s=None)

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
