"""What the daemon tells a worker. Travels as JSON; imports nothing heavy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """One run, and where everything that it needs is found."""

    run: str
    process: str
    slot: str
    kind: str  # what asked for the run, a Kind
    attempt: int
    owner: str
    token: int  # the fencing token under which the run was started
    trading_day: str
    log: str
    uri: str
    database: str
    timeout_s: float
    clock_offset_s: float
    generation: int  # of the configuration
    config: Mapping[str, Any]  # Config.values: a run keeps the configuration that it was started with
    state: str
    socket: str
    start_timeout_s: float = 30.0
    log_max_mb: int = 50
    memory_max_mb: int | None = None
