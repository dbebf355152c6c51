"""kill -9, SIGTERM and Ctrl-C in the middle of a day: nothing is left behind, lost, or sent twice."""

import os
import signal
from pathlib import Path

import pytest
from service import Service, check_both_sides, kill


@pytest.mark.parametrize("process", [
    pytest.param("update_historical_prices", marks=pytest.mark.chaos), "run_stack_handler",
    pytest.param("run_daily_reports", marks=pytest.mark.chaos)])
def test_a_daemon_killed_in_the_middle_of_the_day_finishes_it_at_the_next_start(process: str, tmp_path: Path) -> None:
    # given a day that has come to `process`
    service = Service(tmp_path / "var")
    daemon = service.begin("--day", "--once")
    service.wait_until_running(process)

    # when the daemon is killed
    kill(daemon)

    # then nobody outlives it
    assert service.wait_until_gone() == []

    # and the next start finishes the same day, with equal positions and no order sent twice
    done = service.play()
    assert done.returncode == 0, done.stdout + done.stderr
    assert {row["state"] for row in service.json("status")["processes"]} == {"FINISHED"}
    assert len(check_both_sides(service)) >= 8
    references = [row["order_ref"] for row in service.json("sim", "executions")]
    assert len(references) == len(set(references))


@pytest.mark.chaos
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_ends_its_jobs_first(number: signal.Signals, tmp_path: Path) -> None:
    service = Service(tmp_path / "var")
    daemon = service.begin("--day", "--once")
    service.wait_until_running("update_historical_prices")

    kill(daemon, number)

    assert daemon.returncode == 130
    assert service.wait_until_gone() == []
    states = {row["process"]: row["state"] for row in service.json("status")["processes"]}
    assert states["update_historical_prices"] == "STOPPED"
    assert service.play().returncode == 0
    check_both_sides(service)


@pytest.mark.chaos
def test_a_worker_that_is_killed_fails_its_run_and_nothing_else(tmp_path: Path) -> None:
    # given a stack handler at work
    service = Service(tmp_path / "var")
    daemon = service.begin("--day", "--once")
    service.wait_until_running("run_stack_handler")

    # when its worker dies
    os.kill(worker_of(service, "run_stack_handler"), signal.SIGKILL)

    # then the run is an error, the day is not complete, and the next start makes it so
    assert daemon.wait(timeout=120) == 1
    row = next(row for row in service.json("status")["processes"] if row["process"] == "run_stack_handler")
    assert row["state"] == "ERROR"
    assert row["detail"].startswith("was killed by SIGKILL")
    assert service.play().returncode == 0
    check_both_sides(service)


def worker_of(service: Service, process: str) -> int:
    """The pid of the worker: it takes its run a moment after the process is RUNNING."""
    import time

    from trading.data.mongo.connection import connect
    from trading.data.mongo.processes import MongoProcesses
    from trading.unix_socket import request

    uri = request(service.state / "run" / "control.sock", "GET", "/status")["store"]["uri"]
    store = connect(uri, "tradingd")
    try:
        while True:
            run = MongoProcesses(store).runs(process, 1)[0]
            if run.worker is not None:
                return run.worker.pid
            time.sleep(0.01)
    finally:
        store.close()


@pytest.mark.chaos
def test_the_embedded_store_is_restarted_when_it_dies(tmp_path: Path) -> None:
    service = Service(tmp_path / "var")
    daemon = service.begin("--day", "--once")
    service.wait_until_running("update_historical_prices")

    os.kill(pid_of(service, "secantusd-py"), signal.SIGKILL)

    daemon.wait(timeout=180)
    done = service.play()
    assert done.returncode == 0, done.stdout + done.stderr
    check_both_sides(service)


@pytest.mark.chaos
def test_the_gateway_is_restarted_when_it_dies(tmp_path: Path) -> None:
    service = Service(tmp_path / "var")
    daemon = service.begin("--day", "--once")
    service.wait_until_running("run_stack_handler")

    os.kill(pid_of(service, "daemon.market.simulated_gateway"), signal.SIGKILL)

    daemon.wait(timeout=180)
    done = service.play()
    assert done.returncode == 0, done.stdout + done.stderr
    check_both_sides(service)


def pid_of(service: Service, program: str) -> int:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if program in words and str(service.state) in words:
            return int(path.parent.name)
    raise AssertionError(f"{program} does not run")
