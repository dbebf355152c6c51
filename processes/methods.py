"""Repeat the methods of a service until it is asked to stop: each at its own rhythm, as the configuration says.

pysystemtrade's method table: `every` so often, `after_finish` so long after its last end, at most `max_runs` times,
or `on_exit_only`. One method that fails does not stop the others; the run says so at its end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from processes.job import JobContext
from trading.errors import JobIncomplete, StopRequested, TradingError
from trading.log import get_log
from trading.process_config import MethodConfig

log = get_log()

SHORTEST_PAUSE_S: Final = 0.5
_LOOK_AT_LEAST_EVERY_S: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class MethodState:
    """How often and when a method ran; seconds of the monotonic clock."""

    runs: int = 0
    started_s: float | None = None
    ended_s: float | None = None


def next_start_s(method: MethodConfig, state: MethodState, began_s: float) -> float | None:
    """When the method is due, given that the service began at `began_s`; None: not any more, or only at the exit."""
    if method.on_exit_only or (method.max_runs is not None and state.runs >= method.max_runs):
        return None
    if state.ended_s is None or state.started_s is None:
        return began_s
    if method.every is not None:
        passed = int((state.started_s - began_s) // method.every) + 1
        return max(began_s + passed * method.every, state.ended_s + SHORTEST_PAUSE_S)
    pause_s = method.after_finish if method.after_finish is not None else SHORTEST_PAUSE_S
    return state.ended_s + max(pause_s, SHORTEST_PAUSE_S)


def run_methods(job: JobContext, functions: Mapping[str, Callable[[JobContext], None]]) -> None:
    """Call each of `functions` when it is due, until the run is asked to stop or nothing is left to do.

    Raises:
        StopRequested: as asked; the methods for the exit have been called.
        JobIncomplete: it ended by itself, and some methods failed; the message names them.
    """
    service = _Service(job, functions)
    try:
        while (pause_s := service.round()) is not None:
            job.wait(min(pause_s, _LOOK_AT_LEAST_EVERY_S))
    except StopRequested:
        service.leave()
        raise
    service.leave()
    if service.failed:
        raise JobIncomplete("; ".join(f"{name} failed: {reason}" for name, reason in service.failed.items()))


class _Service:
    def __init__(self, job: JobContext, functions: Mapping[str, Callable[[JobContext], None]]) -> None:
        self._job, self._functions, self._methods = job, functions, job.process.methods
        self._began_s = job.clock.monotonic_s()
        self._states = dict.fromkeys(functions, MethodState())
        self.failed: dict[str, str] = {}

    def round(self) -> float | None:
        """Call what is due; seconds until the next is, None when nothing will be."""
        for name in self._functions:
            due_s = next_start_s(self._methods[name], self._states[name], self._began_s)
            if due_s is not None and due_s <= self._job.clock.monotonic_s():
                self._job.checkpoint()
                self._call(name)
        due = [next_start_s(self._methods[name], state, self._began_s) for name, state in self._states.items()]
        coming = [moment for moment in due if moment is not None]
        return max(min(coming) - self._job.clock.monotonic_s(), 0.0) if coming else None

    def leave(self) -> None:
        """Call what is meant for the exit."""
        for name, method in self._methods.items():
            if method.on_exit_only:
                self._call(name)

    def _call(self, name: str) -> None:
        clock, state = self._job.clock, self._states[name]
        started_s = clock.monotonic_s()
        try:
            self._functions[name](self._job)
            self.failed.pop(name, None)
        except StopRequested:
            raise
        except TradingError as error:
            log.error("method_failed", method=name, reason=str(error))
            self.failed[name] = str(error)
        self._states[name] = replace(state, runs=state.runs + 1, started_s=started_s, ended_s=clock.monotonic_s())
