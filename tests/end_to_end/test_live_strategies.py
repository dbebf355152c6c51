"""A running service and its strategies: a file that comes, is wrong, or goes is understood within a second."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from paper import daemon_words, paper_config, status_of, tradectl

from trading.unix_socket import DaemonUnreachable

RULE = "system:\n  forecast_rules: {up: {rule: bias, direction: 1, scalar: 1, weight: 1}}\n"
WITHIN_S = 20.0


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = paper_config(tmp_path / "config")
    (folder / "strategies").mkdir()
    (folder / "strategies" / "mine.yaml").write_text(RULE)
    return folder


@contextmanager
def running(config: Path, state: Path) -> Iterator[None]:
    process = subprocess.Popen(daemon_words(config, state), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: answer(state).get("service") == "running", "the service runs", 60)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def state(config: Path, tmp_path: Path) -> Iterator[Path]:
    """Where a running service keeps its things."""
    with running(config, tmp_path / "var"):
        yield tmp_path / "var"


def answer(state: Path) -> dict[str, Any]:
    try:
        return status_of(state)
    except DaemonUnreachable:
        return {}


def until(condition: Callable[[], object], what: str, within_s: float = WITHIN_S) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.05)


def history(config: Path, state: Path) -> str:
    return tradectl(config, state, "schedule", "history").stdout


def test_a_strategy_comes_is_refused_while_wrong_and_goes(config: Path, state: Path) -> None:
    # when a second strategy is saved
    (config / "strategies" / "yours.yaml").write_text(RULE)
    until(lambda: "strategy yours: added" in history(config, state), "the new strategy is in use")

    # when it is edited wrongly
    (config / "strategies" / "yours.yaml").write_text(RULE.replace("bias", "bais"))
    until(lambda: "there is no rule bais" in tradectl(config, state, "status").stdout, "the mistake is told")
    done = tradectl(config, state, "schedule", "check")
    assert done.returncode == 2
    assert f"{config}/strategies/yours.yaml:2:20: system.forecast_rules.up: there is no rule bais" in done.stderr

    # when it is taken away
    (config / "strategies" / "yours.yaml").unlink()
    until(lambda: "strategy yours: removed" in history(config, state), "the strategy has gone")
    until(lambda: "bais" not in tradectl(config, state, "status").stdout, "nothing is wrong any more")

    # when the last one goes as well, the example is not traded in its place
    (config / "strategies" / "mine.yaml").rename(config / "mine.yaml")
    until(lambda: "mine.yaml was there and is gone" in " ".join(tradectl(config, state, "status").stdout.split()),
          "it is missed")
    assert "example" not in history(config, state)

    # and a rollback brings it back
    done = tradectl(config, state, "schedule", "rollback", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (config / "strategies").glob("*.yaml")] == ["mine.yaml"]
    assert answer(state)["config_problem"] == ""


def test_a_service_whose_strategies_are_lost_starts_with_those_that_it_had(config: Path, tmp_path: Path) -> None:
    # given a service that has used a strategy, and then has none any more
    state = tmp_path / "var"
    with running(config, state):
        until(lambda: answer(state)["generation"] == 1, "the strategy is in use")
    (config / "strategies" / "mine.yaml").unlink()

    # then it says so when it starts, and does not begin to trade the example
    with running(config, state):
        until(lambda: "mine.yaml was there and is gone" in answer(state)["config_problem"], "it is missed")
        assert answer(state)["generation"] == 1
        assert "example" not in history(config, state)
