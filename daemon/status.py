"""One row a process, the same whether the daemon tells it or the store is read while it is down. Pure."""

from datetime import datetime
from typing import Any

from trading.control.process_control import ProcessControl


def process_row(control: ProcessControl, waiting_for: str = "") -> dict[str, Any]:
    """What `tradectl status` shows of one process."""
    last = control.last_run
    return {
        "process": control.name, "state": control.state.value, "desired": control.desired.value,
        "run": last and last.id, "trading_day": last and last.trading_day,
        "start": _iso(last.started if last else None), "end": _iso(last.ended if last else None),
        "detail": control.detail or waiting_for,
        "failures": control.consecutive_failures,
    }


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
