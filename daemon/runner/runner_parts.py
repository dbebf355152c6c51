"""What the ProcessRunner works with; everything that touches the world comes in through here."""

from collections.abc import Callable
from dataclasses import dataclass

from daemon.children import process_tree, worker_identity
from daemon.children.worker_spec import WorkerSpec
from daemon.decisions.plan import Plan
from daemon.leadership import Leadership
from daemon.runner.live_runs import WorkerPool
from daemon.runner.timers import Timers
from daemon.runner.watch import Watch
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.control.process_run import ProcessRun, WorkerIdentity


def _believe() -> None:
    """A clock that nobody watches."""


@dataclass(frozen=True, kw_only=True)
class RunnerParts:
    """The surroundings of one runner."""

    store: AsyncStore
    workers: WorkerPool
    leadership: Leadership
    clock: Clock
    timers: Timers
    watch: Watch
    broker_problem: Callable[[], str | None]  # None: ready
    worker_spec: Callable[[ProcessRun, Plan], WorkerSpec]  # by the plan that the run was decided by
    look_at_clock: Callable[[], None] = _believe  # holds the runner before it decides by a clock that has jumped
    is_alive: Callable[[WorkerIdentity], bool] = worker_identity.is_alive
    kill_orphan: Callable[[WorkerIdentity, str], None] = process_tree.kill_orphan
