"""Whole days with the real store, the real client and the simulated gateway, on generated markets."""

from pathlib import Path

import pytest
from service import Service, check_both_sides, played_day

from processes.registry import PROCESSES


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A service that has played its first day."""
    service = Service(tmp_path_factory.mktemp("day") / "var")
    done = service.play()
    assert done.returncode == 0, done.stdout + done.stderr
    return service


def test_every_process_of_the_day_has_finished(played: Service) -> None:
    rows = played.json("status")["processes"]
    assert [row["process"] for row in rows] == list(PROCESSES)
    assert {row["state"] for row in rows} == {"FINISHED"}
    assert all(row["run"] and row["start"] and row["end"] for row in rows)


def test_positions_are_held_on_both_sides_in_at_least_eight_instruments(played: Service) -> None:
    assert len(check_both_sides(played)) >= 8


def test_the_reports_of_the_day_are_written_as_text_and_html(played: Service) -> None:
    folder = next((played.state / "reports").iterdir())
    names = {path.name for path in folder.iterdir()}
    reports = ("status", "profit_and_loss", "trades", "positions", "costs")
    assert names == {"day.txt"} | {f"{name}.{kind}" for name in reports for kind in ("txt", "html")}


def test_a_backup_of_the_day_is_complete(played: Service) -> None:
    folder, = (played.state / "backup").iterdir()
    assert not folder.name.endswith(".partial")
    assert {"fills.parquet", "broker_orders.parquet", "adjusted_prices"} <= {path.name for path in folder.iterdir()}


def test_the_story_of_an_order_is_told_in_the_time_of_the_day_that_was_played(played: Service) -> None:
    order = played.json("fills")[0]["order"]
    lines = played.json("story", order)
    told = [line["text"] for line in lines if line["what"] == order]
    steps = ["broker order: lifecycle INTENT", "broker order: lifecycle INTENT -> SENDING", "said execution",
             "broker order: lifecycle ACKED -> FILLED"]
    places = [next(place for place, text in enumerate(told) if text.startswith(step)) for step in steps]
    assert places == sorted(places)
    assert {line["at"][:7] for line in lines} == {played.json("status")["processes"][0]["trading_day"][:7]}


def test_nothing_runs_on_after_the_day(played: Service) -> None:
    assert played.wait_until_gone() == []


def test_the_next_call_plays_the_next_day_and_the_same_day_again_adds_nothing(played: Service) -> None:
    # given the first day
    first = played.json("status")["processes"][0]["trading_day"]

    # when the next is played
    done = played.play()

    # then it is a later one, and only what changed was ordered
    assert done.returncode == 0, done.stdout + done.stderr
    assert played_day(done.stdout) > first
    check_both_sides(played)
    before = what_is_stored(played)

    # and when it is played once more
    again = played.play("--again")

    # then nothing is added
    assert again.returncode == 0, again.stdout + again.stderr
    assert played_day(again.stdout) == played_day(done.stdout)
    assert what_is_stored(played) == before


def what_is_stored(service: Service) -> dict[str, object]:
    tiers = service.json("orders", "--all")
    prices = {code: service.json("prices", code, "-n", "100000") for code in ("ALPHA", "HOTEL", "KILO")}
    return {"orders": {tier: [row["id"] for row in rows] for tier, rows in tiers.items()},
            "executions": service.json("sim", "executions"), "prices": prices}


def test_a_second_daemon_on_the_same_state_refuses(played: Service) -> None:
    running = played.begin()
    try:
        wait_until_it_answers(played)
        refused = played.play()
        assert refused.returncode == 1
        assert f"is in use by process {running.pid}. Stop it first (tradectl stop)" in refused.stderr
    finally:
        running.terminate()
        assert running.wait(timeout=60) == 0


def wait_until_it_answers(service: Service) -> None:
    import time

    deadline = time.monotonic() + 90
    while not (service.state / "run" / "control.sock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_in_the_background_it_is_driven_by_tradectl(tmp_path: Path, played: Service) -> None:
    # given a service in the background
    assert "tradingd is running, pid" in played.ctl("start")
    try:
        assert played.json("status")["broker"]["link"] in ("ready", "synchronising")
        assert len(played.json("schedule", "next", "-n", "5")) == 5

        # when an operator runs, pauses and resumes a process
        assert played.json("run", "update_strategy_capital")["state"] == "FINISHED"
        played.ctl("pause", "run_systems", "--reason", "testing")
        refused = played.ctl("run", "run_systems", expect=4)
        played.ctl("resume", "run_systems")

        # then each call is answered and recorded
        assert "run_systems was not started: it is paused" in refused
        assert played.json("history", "update_strategy_capital", "-n", "1")[0]["kind"] == "manual"
        assert "job_started" in played.ctl("logs", "update_strategy_capital")
        assert "There is no process nonsense" in played.ctl("run", "nonsense", expect=2)
        assert "running, pid" in played.ctl("doctor")
    finally:
        assert "tradingd has stopped." in played.ctl("stop")
    assert played.wait_until_gone() == []
    assert "Start it with: tradectl start" in played.ctl("pause", "run_systems", expect=3)
