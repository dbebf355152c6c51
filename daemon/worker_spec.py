"""What the daemon tells a worker. Travels as JSON; imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerSpec:
    """One run, and where everything that it needs is found."""

    run: str
    process: str
    owner: str
    trading_day: str
    log: str
    uri: str
    database: str
    timeout_s: float
    clock_offset_s: float
    config: str
    state: str
    socket: str
