"""One durable change of a process: what it was, what it becomes, who did it, why, and what belongs to it. Pure."""

from dataclasses import dataclass

from trading.control.due_slot import Tick
from trading.control.process_control import ProcessControl
from trading.control.process_run import ProcessRun


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Who changed a process and why; `token` is the fencing token under which it was decided."""

    actor: str  # schedule, supervisor, or the name of a person
    reason: str
    token: int = 0
    node: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Everything that must become durable together, or not at all."""

    before: ProcessControl  # as it was read; the write names its version
    after: ProcessControl
    cause: Cause
    ticks: tuple[Tick, ...] = ()
    begins: ProcessRun | None = None  # a slot is claimed: the run is inserted under its deterministic key
    ends: ProcessRun | None = None  # a run in its terminal state

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self.before == self.after and not self.ticks and self.begins is None and self.ends is None
