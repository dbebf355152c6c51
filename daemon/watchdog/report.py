"""What the watchdog says of itself, in a file: `tradectl watchdog status` reads it, whether it lives or not."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.watchdog.guard import Guard
from daemon.whereabouts import write_json
from trading.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Report:
    """Written after each look."""

    file: Path
    clock: Clock
    client_id: int

    def write(self, guard: Guard) -> None:
        write_json(self.file, self.values(guard))

    def values(self, guard: Guard) -> dict[str, Any]:
        picture = guard.picture
        orders = None if picture is None or picture.orders is None else picture.orders
        store = None if picture is None else picture.store
        return {"schema": 1, "pid": os.getpid(), "at": self.clock.now().isoformat(), "client_id": self.client_id,
                "broker_problem": guard.broker_problem, "store_problem": guard.store_problem,
                "orders": None if orders is None else len(orders),
                "orders_of_ours": None if orders is None else sum(order.is_ours for order in orders),
                "level": None if store is None else store.level.name,
                "halt_flag": picture is not None and picture.is_flagged,
                "told": {subject.value: text for subject, text in guard.told.items()}}
