"""One day that is killed again and again: it is finished in the end, and the gateway saw each order once."""

from collections import Counter
from pathlib import Path

import pytest
from service import Service, check_both_sides, kill

from trading.broker.simulated.world import read_orders

MOMENTS = ("update_futures_contracts", "run_systems", "run_stack_handler", "backup_db_to_parquet")


@pytest.fixture(scope="module")
def survivor(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A service that was killed with -9 at each of the moments of one day, and then let through."""
    service = Service(tmp_path_factory.mktemp("killed") / "var")
    for process in MOMENTS:
        daemon = service.begin("--day", "--once")
        service.wait_until_running(process)
        kill(daemon)
        assert service.wait_until_gone() == []
    done = service.play()
    assert done.returncode == 0, done.stdout + done.stderr
    return service


def test_the_day_is_finished(survivor: Service) -> None:
    rows = survivor.json("status")["processes"]
    assert {row["state"] for row in rows} == {"FINISHED"}
    assert len({row["trading_day"] for row in rows}) == 1


def test_positions_are_equal_on_both_sides(survivor: Service) -> None:
    assert len(check_both_sides(survivor)) >= 8


def test_the_gateway_accepted_no_order_reference_twice(survivor: Service) -> None:
    references = Counter(order.order_ref for order in read_orders(survivor.state / "sim"))
    assert references
    assert [reference for reference, times in references.items() if times > 1] == []


def test_every_order_of_the_gateway_is_one_of_ours(survivor: Service) -> None:
    ours = {row["id"] for row in survivor.json("orders", "--all")["broker_orders"]}
    assert {order.order_ref for order in read_orders(survivor.state / "sim")} <= ours


def test_every_execution_of_the_gateway_is_in_our_books(survivor: Service) -> None:
    booked = {fill["execution_id"] for row in survivor.json("orders", "--all")["broker_orders"]
              for fill in row["fills"]}
    assert {row["exec_id"] for row in survivor.json("sim", "executions")} == booked


def test_nothing_is_left_open(survivor: Service) -> None:
    assert survivor.json("orders") == {"instrument_orders": [], "contract_orders": [], "broker_orders": []}


def test_the_killed_runs_are_told_as_lost_or_as_never_begun(survivor: Service) -> None:
    newest, killed = survivor.json("history", "run_systems", "-n", "2")
    assert newest["state"] == "FINISHED"
    told = {"LOST": "the machine or its daemon died while it ran; whether it did its work is not known",
            "CANCELLED": "its daemon ended before a worker had taken it: nothing ran"}
    assert killed["reason"].startswith(told[killed["state"]])


def test_the_killed_backup_left_no_half_folder(survivor: Service) -> None:
    assert [path.name for path in (survivor.state / "backup").iterdir() if path.name.endswith(".partial")] == []


def test_the_same_day_again_adds_nothing(survivor: Service) -> None:
    def stored() -> object:
        orders = survivor.json("orders", "--all")
        return (orders, survivor.json("sim", "executions"), survivor.json("prices", "ALPHA", "-n", "100000"),
                survivor.json("positions"))

    before: Path | object = stored()
    again = survivor.play("--again")
    assert again.returncode == 0, again.stdout + again.stderr
    assert stored() == before
