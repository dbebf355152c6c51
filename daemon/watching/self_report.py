"""What the daemon says of itself: its health for machines, its status for people. Reads; changes nothing."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.api.watching import Health
from daemon.base import Base
from daemon.bootstrap import Daemon
from daemon.watching.status import kill_row
from trading.clock import SystemClock
from trading.config import ServiceConfig


@dataclass(frozen=True, kw_only=True)
class SelfReport:
    """Taken at one moment; `daemon` is there while this one leads, and for a while after it."""

    phase: str
    service: ServiceConfig
    folder: Path
    clock: SystemClock
    base: Base | None
    daemon: Daemon | None

    def health(self) -> Health:
        base, daemon = self.base, self.daemon
        if base is None or self.phase in ("starting", "stopping"):
            return Health(ready=False, role="standby", reasons=(self.phase,))
        if self.phase == "standby":
            problem = base.leadership.problem
            return Health(ready=not problem, role="standby", reasons=(problem,) if problem else ())
        reasons = []
        if not base.leadership.is_leader:
            reasons.append(f"the lease is not renewed: {base.store_problem or 'the store does not answer'}")
        if daemon is not None and daemon.runner.held:
            reasons.append(daemon.runner.held)
        return Health(ready=not reasons, role="leader", reasons=tuple(reasons))

    def status(self) -> dict[str, Any]:
        base, daemon, service = self.base, self.daemon, self.service
        assert base is not None, "nobody can ask before"
        leader = base.leadership
        values: dict[str, Any] = {
            "schema": 1, "service": self.phase, "pid": os.getpid(), "mode": service.mode.value,
            "timezone": service.timezone, "clock": self.clock.now().isoformat(),
            "clock_offset_s": round(self.clock.offset.total_seconds()),
            "store": {"uri": base.opened.uri if service.mongo.uri is None else "configured",
                      "embedded": service.mongo.uri is None, "answers": leader.store_answers,
                      "problem": base.store_problem},
            "leader": {"is_leader": leader.is_leader, "token": leader.token, "node": leader.node,
                       "problem": leader.problem, "holder": leader.holder and leader.holder.holder},
            "config": str(self.folder),
            "alerts": sum(base.alerts.open_by_severity.values()), "delivery_problems": base.alerts.delivery_problems}
        if daemon is None or self.phase == "standby":
            return values | {"broker": None, "kill": None, "held": "", "clock_problem": "", "generation": None,
                             "config_problem": ""}
        return values | {
            "broker": {"link": daemon.broker.link.value, "reason": daemon.broker.reason,
                       "since": daemon.broker.since.isoformat()},
            "kill": kill_row(daemon.kill_switch.state),
            "held": daemon.runner.held, "clock_problem": daemon.clock_desk.waiting,
            "generation": daemon.live.generation, "config_problem": daemon.live.problem}
