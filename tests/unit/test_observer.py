"""What the observer sees around the runner is told when it comes, and is over when it is."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from alerts_told import Told

from daemon.base import Base
from daemon.bootstrap import Daemon
from daemon.children.signs_of_life import SILENT_AFTER_S
from daemon.places import Places
from daemon.watching.observer import Observer
from trading.control.alert import AlertKind
from trading.control.process_run import Kind, ProcessRun, RunState
from trading.process_config import ProcessConfig


class Deaf:
    """Metrics that nobody reads, but for what they were told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def forget_process(self, process: str) -> None:
        self.forgotten.append(process)

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_values: None


class Scene:
    """A leading daemon that is well, and a clock that is set by hand."""

    def __init__(self, state: Path) -> None:
        self.now_s, self.told, self.free = 1000.0, Told(), 10**12
        self.runs: list[ProcessRun] = []
        self.leadership = SimpleNamespace(is_leader=True, token=1, lease_age_s=0.0, store_answers=True)
        self.broker, self.live = SimpleNamespace(problem=None), SimpleNamespace(problem="", generation=1)
        store = SimpleNamespace(processes=SimpleNamespace(active_runs=None), call=self._active_runs)
        job = ProcessConfig(cron="0 6 * * *", timeout=60, needs_broker=True)
        self.plan, self.metrics = SimpleNamespace(processes={"job": job}, calendars={}), Deaf()
        runner = SimpleNamespace(plan=self.plan, live=self, held="")
        base = SimpleNamespace(alerts=self.told, metrics=self.metrics, leadership=self.leadership, store=store,
                               store_problem="")
        daemon = SimpleNamespace(runner=runner, broker=self.broker, live=self.live)
        self.observer = Observer(base=cast(Base, base), daemon=cast(Daemon, daemon), places=Places(state), clock=self,
                                 free_bytes=lambda _folder: self.free)

    def __len__(self) -> int:
        return len(self.runs)

    def __contains__(self, run: str) -> bool:
        return run in {each.id for each in self.runs}

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return self.now_s

    async def _active_runs(self, _method: Any) -> list[ProcessRun]:
        return self.runs

    def look(self, after_s: float = 0.0) -> set[AlertKind]:
        """What is open after a look, a while later."""
        self.now_s += after_s
        self.observer._look()
        asyncio.run(self.observer._look_closely())
        return self.told.kinds()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_when_all_is_well_nothing_is_told(scene: Scene) -> None:
    assert scene.look() == set()


def test_a_process_that_is_no_longer_configured_leaves_the_figures(scene: Scene) -> None:
    scene.look()
    scene.plan.processes = {"another": scene.plan.processes["job"]}
    scene.look()
    scene.look()
    assert scene.metrics.forgotten == ["job"]


def test_a_configuration_that_was_rejected_is_told_by_its_first_line(scene: Scene) -> None:
    scene.live.problem = "processes.yaml:3:5: wrong.\n  and a long picture of it"
    assert scene.look() == {AlertKind.CONFIG_REJECTED}
    assert scene.told.open[AlertKind.CONFIG_REJECTED, "config"][0] == "processes.yaml:3:5: wrong."
    scene.live.problem = ""
    assert scene.look() == set()


def test_a_lease_that_is_not_renewed_is_told(scene: Scene) -> None:
    scene.leadership.is_leader = False
    assert scene.look() == {AlertKind.STORE_LOST}
    scene.leadership.is_leader = True
    assert scene.look() == set()


def test_a_broker_is_told_as_lost_only_when_it_stays_away_and_somebody_needs_it(scene: Scene) -> None:
    scene.broker.problem = "the gateway restarts"
    assert scene.look() == set()
    assert scene.look(299) == set()
    assert scene.look(1) == {AlertKind.BROKER_LOST}
    scene.broker.problem = None
    assert scene.look() == set()
    scene.broker.problem = "again"
    assert scene.look(299) == set()
    scene.observer.daemon.runner.plan.processes["job"] = ProcessConfig(cron="0 6 * * *", timeout=60)  # type: ignore[index]
    assert scene.look(9999) == set()


def test_a_disk_that_fills_up_is_told(scene: Scene) -> None:
    scene.free = 999_999_999
    assert scene.look() == {AlertKind.DISK_FULL}
    scene.free = 1_000_000_000
    assert scene.look() == set()


def test_a_worker_is_stuck_while_it_gives_no_sign_and_no_longer_when_its_run_has_ended(scene: Scene) -> None:
    scene.runs.append(ProcessRun(id="job@s#1", process="job", slot="s", attempt=1, kind=Kind.SCHEDULED, owner="me",
                                 trading_day="2026-03-02", state=RunState.RUNNING, created=scene.now(),
                                 heartbeat=scene.now()))
    assert scene.look() == set()
    assert scene.look(SILENT_AFTER_S) == {AlertKind.STUCK}
    scene.runs.clear()
    assert scene.look(15) == set()
