"""How a worker ended, as the kernel tells it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerExit:
    """How a worker ended: an exit code, or minus the number of the signal that killed it."""

    run: str
    code: int
    max_rss_kb: int | None = None
    cpu_s: float | None = None
    lost: bool = False  # nobody saw the end itself
    out_of_memory: bool = False  # the kernel ended it, or part of it, at its limit
