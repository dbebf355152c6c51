"""The life of a process, as its latest run left it. Pure: no clock, no database, no log."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from trading.errors import TradingError


class ProcessState(StrEnum):
    """The six states of a process."""

    NO_PROCESS = "NO_PROCESS"  # never started, or reset by an operator
    RUNNING = "RUNNING"  # a worker runs, or is about to; the supervisor moves it on
    FINISHED = "FINISHED"  # exit code 0; starts again when next due
    ERROR = "ERROR"  # other exit code, crashed, or lost with its daemon; retried until max_attempts
    STOPPED = "STOPPED"  # asked to stop, and obeyed
    TERMINATED = "TERMINATED"  # did not obey in time, was killed; waits for an operator


_S = ProcessState
TRANSITIONS: Final[Mapping[ProcessState, frozenset[ProcessState]]] = {
    _S.NO_PROCESS: frozenset({_S.RUNNING}),
    _S.RUNNING: frozenset({_S.FINISHED, _S.ERROR, _S.STOPPED, _S.TERMINATED}),
    _S.FINISHED: frozenset({_S.NO_PROCESS, _S.RUNNING}),
    _S.ERROR: frozenset({_S.NO_PROCESS, _S.RUNNING, _S.TERMINATED}),
    _S.STOPPED: frozenset({_S.NO_PROCESS, _S.RUNNING, _S.TERMINATED}),
    _S.TERMINATED: frozenset({_S.NO_PROCESS}),
}


class InvalidTransition(TradingError):
    """The caller asked for a state change that TRANSITIONS does not list."""

    def __init__(self, process: str, old: ProcessState, new: ProcessState) -> None:
        allowed = ", ".join(sorted(TRANSITIONS[old]))
        super().__init__(f"{process} is {old} and cannot become {new} (allowed: {allowed}). "
                         f"To start afresh: tradectl reset {process}")


def check_transition(process: str, old: ProcessState, new: ProcessState) -> None:
    """Raise InvalidTransition unless TRANSITIONS allows `old` to become `new`."""
    if new not in TRANSITIONS[old]:
        raise InvalidTransition(process, old, new)
