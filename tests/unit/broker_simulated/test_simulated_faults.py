"""Each fault does what its name says, as often as it was asked to, and nothing else."""

from pathlib import Path

import pytest
from simulated_messages import a_contract, a_roll, market_data, place_order
from simulated_record import ACCOUNT, later
from simulated_stage import Stage, kinds

from trading.broker.simulated.faults.fault import Fault, FaultKind, fault_of
from trading.broker.simulated.faults.message_names import MESSAGES
from trading.broker.simulated.faults.strike import strike
from trading.broker.simulated.orders import OrderStatus
from trading.broker.simulated.scenario import read_scenario
from trading.broker.simulated.session import Session
from trading.errors import ConfigError, TradingError

LIQUIDATION = 23  # its place in execDetails
FILLED = ["5", "status PreSubmitted", "11", "5", "status Filled", "5", "status Filled", "59"]


def con_id(stage: Stage, client: Session, month: str) -> int:
    return int(stage.ask(client, ["9", "8", "1", *a_contract(month=month), "0", "", "", ""])[0][12])


def let(stage: Stage, kind: str, **values: object) -> str:
    return strike(stage.gateway, fault_of({"kind": kind, **values}))


@pytest.mark.parametrize(("kind", "heard"), [
    ("drop", [each for each in FILLED if each != "11"]),
    ("duplicate", ["5", "status PreSubmitted", "11", "11", "5", "status Filled", "5", "status Filled", "59"]),
    ("late", ["5", "status PreSubmitted", "5", "11", "status Filled", "5", "status Filled", "59"]),
])
def test_messages_are_dropped_doubled_and_overtaken(stage: Stage, kind: str, heard: list[str]) -> None:
    let(stage, kind, message="execDetails")
    assert kinds(stage.ask(stage.a_client(), place_order(1))) == heard


def test_a_fault_strikes_as_often_as_it_is_told_and_only_its_order(stage: Stage) -> None:
    client = stage.a_client()
    let(stage, "drop", message="execDetails", order="A*", times=2)
    heard = [kinds(stage.ask(client, place_order(number, ref=ref))).count("11")
             for number, ref in enumerate(("B1", "A1", "A2", "A3"), 1)]
    assert heard == [1, 0, 0, 1]


def test_a_status_is_known_by_the_reference_that_its_order_was_shown_with(stage: Stage) -> None:
    client = stage.a_client()
    let(stage, "drop", message="orderStatus", order="A*", times=0)
    assert "status Filled" not in kinds(stage.ask(client, place_order(1, ref="A1")))
    assert "status Filled" in kinds(stage.ask(client, place_order(2, ref="B1")))


def test_a_delayed_message_comes_when_its_time_has_come(stage: Stage) -> None:
    client = stage.a_client()
    let(stage, "delay", message="commissionReport", seconds=60)
    assert kinds(stage.ask(client, place_order(1))) == FILLED[:-1]
    assert client.take_outbox() == []
    stage.clock.elapsed_s += 61
    assert kinds(client.take_outbox()) == ["59"]


def test_a_lost_request_never_reaches_the_exchange(stage: Stage) -> None:
    client = stage.a_client()
    let(stage, "lose", request="placeOrder")
    stage.ask(client, place_order(1))
    assert client.is_broken
    assert stage.gateway.book.orders == {}


def test_an_accepted_order_whose_owner_hears_nothing(stage: Stage) -> None:
    client = stage.a_client()
    let(stage, "break_after", request="placeOrder")
    stage.ask(client, place_order(1))
    assert client.is_broken
    assert [order.status for order in stage.gateway.book.orders.values()] == [OrderStatus.FILLED]


def test_an_ignored_request_gets_no_answer_and_a_refused_one_its_error(stage: Stage) -> None:
    client = stage.a_client()
    let(stage, "ignore", request="reqPositions")
    let(stage, "refuse", request="reqContractDetails", code=200)
    assert stage.ask(client, ["61", "1"]) == []
    assert kinds(stage.ask(client, ["9", "8", "1", *a_contract(), "0", "", "", ""])) == ["error 200"]
    assert kinds(stage.ask(client, ["61", "1"])) == ["62"]


@pytest.mark.parametrize(("style", "heard"), [
    ("error_first", ["error 201", "5", "status Inactive"]), ("status_first", ["5", "status Inactive", "error 201"]),
    ("inactive_only", ["5", "status Inactive"]), ("cancelled_only", ["5", "status Cancelled"])])
def test_an_order_is_rejected_in_each_of_the_known_ways(stage: Stage, style: str, heard: list[str]) -> None:
    let(stage, "reject", style=style)
    assert kinds(stage.ask(stage.a_client(), place_order(1))) == heard
    assert stage.gateway.book.executions == []


def test_a_false_cancel_code_changes_nothing(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="LMT", limit="4340.13", ref="A", tif="GTC"))
    let(stage, "error", order="A", code=10349, text="Order TIF was set to DAY based on order preset.")
    assert kinds(client.take_outbox()) == ["error 10349"]
    stage.move_to(later(10))
    assert kinds(client.take_outbox())[-1] == "59"


def test_a_cancel_can_cross_a_fill(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="LMT", limit="4300"))
    let(stage, "fill_on_cancel")
    assert kinds(stage.ask(client, ["4", "1", "1", ""])) == ["error 10148", *FILLED[2:]]


def test_a_cancel_can_cross_a_part_of_the_fill(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="LMT", limit="4300", quantity="3"))
    let(stage, "fill_on_cancel", size=1)
    stage.ask(client, ["4", "1", "1", ""])
    [order] = stage.gateway.book.orders.values()
    assert (order.status, order.filled, order.quantity) == (OrderStatus.CANCELLED, 1, 3)


def test_an_order_can_be_changed_by_hand_and_its_owner_hears_of_it(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="LMT", limit="4300", quantity="3", ref="A"))
    let(stage, "manual_edit", order="A", price=4301.0, size=2)
    assert kinds(client.take_outbox())[0] == "5"
    [order] = stage.gateway.book.open_orders()
    assert (order.quantity, order.limit_price) == (2, 4301)


def test_a_status_can_be_a_word_that_nobody_knows(stage: Stage) -> None:
    let(stage, "reword", text="Dreaming", times=0)
    assert {word for word in kinds(stage.ask(stage.a_client(), place_order(1))) if "status" in word} == {
        "status Dreaming"}


def test_an_inactive_order_may_still_come_alive(stage: Stage) -> None:
    let(stage, "inactive_first")
    assert kinds(stage.ask(stage.a_client(), place_order(1))) == ["5", "status Inactive", *FILLED]


def test_a_modification_can_leave_two_live_orders(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="LMT", limit="4300"))
    let(stage, "twin")
    stage.ask(client, place_order(1, order_type="LMT", limit="4301"))
    opened = stage.gateway.book.open_orders()
    assert {order.order_id for order in opened} == {1}
    assert len({order.perm_id for order in opened}) == 2


def test_an_open_order_can_live_a_second_time_and_both_fill(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, order_type="LMT", limit="4340.13", ref="A", tif="GTC"))
    let(stage, "lives_twice", order="A")
    opened, status = client.take_outbox()
    assert (opened[0], opened[1], opened[23]) == ("5", "2", "A")
    assert status[0] == "3"
    stage.move_to(later(10))
    fills = [message for message in client.take_outbox() if message[0] == "11"]
    assert [fill[26] for fill in fills] == ["A", "A"]
    assert len({fill[21] for fill in fills}) == 2


@pytest.mark.parametrize(("seconds", "in_the_end"), [(60, 2), (0, 0)])
def test_the_first_leg_of_a_combination_can_fill_alone(stage: Stage, seconds: float, in_the_end: int) -> None:
    client = stage.a_client()
    near, far = (con_id(stage, client, month) for month in ("202112", "202203"))
    let(stage, "leg_alone", seconds=seconds)
    stage.ask(client, place_order(1, quantity="2", contract=a_contract(sec_type="BAG", month=""),
                                  legs=a_roll((near, far))))
    held = stage.gateway.book.account(ACCOUNT)
    assert (held.holding(near).quantity, held.holding(far).quantity) == (-2, 0)
    stage.clock.elapsed_s += 61
    stage.gateway.poll()
    assert (held.holding(near).quantity, held.holding(far).quantity) == (-2, in_the_end)
    assert [message[5] for message in client.take_outbox() if message[0] == "11"] == ["FUT"] * (in_the_end // 2)


def test_what_was_asked_is_counted_by_name(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1))
    stage.ask(client, ["61", "1"])
    assert stage.gateway.requests == {"startApi": 1, "placeOrder": 1, "reqPositions": 1}


def test_a_correction_replaces_the_fill_and_the_position_follows(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, quantity="3", ref="A"))
    let(stage, "correct", order="A", size=2, price=4350.5)
    [told] = [message for message in client.take_outbox() if message[0] == "11"]
    assert (told[14][-3:], told[19], told[20]) == (".02", "2", "4350.5")
    [held] = stage.gateway.book.account(ACCOUNT).open_holdings()
    assert held.quantity == 2
    assert [(fill.shares, fill.price) for fill in stage.gateway.book.effective()] == [(2, 4350.5)]


def test_an_overfill_is_an_execution_of_its_own_beyond_the_order(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, quantity="3", ref="A"))
    let(stage, "overfill", order="A", size=2)
    [told] = [message for message in client.take_outbox() if message[0] == "11"]
    first, second = stage.gateway.book.effective()
    assert (told[14], told[19], told[24]) == (second.exec_id, "2", "5")
    assert (first.perm_id, first.order_ref, first.shares) == (second.perm_id, second.order_ref, 3)
    [held] = stage.gateway.book.account(ACCOUNT).open_holdings()
    assert held.quantity == 5


def test_a_bust_takes_the_fill_back_and_survives_a_restart(stage: Stage) -> None:
    stage.ask(stage.a_client(), place_order(1, quantity="3", ref="A"))
    let(stage, "bust", order="A")
    assert stage.gateway.book.account(ACCOUNT).open_holdings() == []
    before = stage.gateway.book
    stage.restart()
    assert stage.gateway.book == before


def test_a_trade_by_hand_reaches_client_0_and_whoever_watches_positions(stage: Stage) -> None:
    client, manual = stage.a_client(), stage.a_client(0)
    stage.ask(client, ["61", "1"])
    con_id = int(stage.ask(client, ["9", "8", "1", *a_contract(), "0", "", "", ""])[0][12])
    let(stage, "manual_trade", contract=con_id, size=-2)
    assert kinds(client.take_outbox()) == ["61"]
    assert kinds(trade := manual.take_outbox()) == ["11", "59"]
    let(stage, "liquidate", contract=con_id)
    assert kinds(forced := manual.take_outbox()) == ["11", "59"]
    assert [row[0][LIQUIDATION] for row in (trade, forced)] == ["0", "1"]
    assert stage.gateway.book.account(ACCOUNT).open_holdings() == []


def test_a_lost_link_is_announced_holds_fills_and_is_restored(stage: Stage) -> None:
    client = stage.a_client()
    let(stage, "link_lost", seconds=60)
    assert kinds(stage.ask(client, place_order(1))) == ["error 1100", "5", "status PreSubmitted"]
    stage.clock.elapsed_s += 1
    stage.move_to(later(1))
    assert client.take_outbox() == []
    stage.clock.elapsed_s += 61
    stage.move_to(later(2))
    assert kinds(client.take_outbox()) == ["error 1102", *FILLED[2:]]


def test_a_gateway_that_has_just_started_may_say_that_there_is_nothing(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1))
    let(stage, "empty", seconds=60)
    assert kinds(stage.ask(client, ["61", "1"])) == ["62"]
    assert kinds(stage.ask(client, ["99", "0"])) == ["102"]
    stage.clock.elapsed_s += 61
    assert kinds(stage.ask(client, ["61", "1"])) == ["61", "62"]


@pytest.mark.parametrize(("style", "bid"), [("none", "-1"), ("zero", "0"), ("frozen", None)])
def test_quotes_can_be_broken(stage: Stage, style: str, bid: str | None) -> None:
    let(stage, "quotes", style=style, seconds=60)
    prices = {message[3]: message[4] for message in stage.ask(stage.a_client(), market_data(1, a_contract()))
              if message[0] == "1"}
    assert prices.get("1") == bid


def test_a_crossed_quote_has_its_bid_above_its_ask(stage: Stage) -> None:
    let(stage, "quotes", style="crossed", seconds=60)
    prices = {message[3]: float(message[4]) for message in stage.ask(stage.a_client(), market_data(1, a_contract()))
              if message[0] == "1"}
    assert prices["1"] > prices["2"]


def test_order_ids_can_go_back_so_that_they_are_given_twice(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(5, order_type="LMT", limit="4300", ref="old"))
    let(stage, "restart", size=-5)
    assert stage.gateway.book.next_order_id(8) == 1
    assert [fault.kind for fault in client.wire_faults] == [FaultKind.RESTART]
    stage.ask(client, place_order(5, order_type="LMT", limit="4301", ref="new"))
    assert sorted(order.order_ref for order in stage.gateway.book.open_orders()) == ["new", "old"]


@pytest.mark.parametrize(("kind", "begun", "over"), [("link_lost", 1100, 1102), ("data_lost", 1100, 1101),
                                                     ("farm_lost", 2103, 2104)])
def test_what_is_taken_back_at_once_is_over_for_the_clients_too(stage: Stage, kind: str, begun: int, over: int) -> None:
    client = stage.a_client()
    let(stage, kind, seconds=60)
    stage.gateway.faults.clear()
    stage.gateway.poll()
    stage.gateway.poll()
    assert kinds(client.take_outbox()) == [f"error {begun}", f"error {over}"]


def test_orders_can_be_held_and_a_client_id_be_in_use(stage: Stage) -> None:
    client = stage.a_client()
    let(stage, "hold", seconds=60)
    assert kinds(stage.ask(client, place_order(1))) == ["5", "status PreSubmitted"]
    let(stage, "id_in_use", seconds=60)
    refused = stage.a_client(9)
    assert refused.is_closing


@pytest.mark.parametrize("values", [
    {"kind": "nonsense"}, {"kind": "drop", "mesage": "execDetails"}, {"kind": "drop", "message": "nothing"},
    {"kind": "reject", "style": "loud"}, {"kind": "reject"}, {"kind": "delay", "seconds": "soon"},
    {"kind": "drop", "style": "frozen"}, {"kind": "lose", "request": "execDetails"}])
def test_a_wrong_fault_is_refused_with_what_is_allowed(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"Allowed: |must be a number"):
        fault_of(dict(values))


def test_nothing_to_strike_is_said(stage: Stage) -> None:
    for kind in ("error", "correct", "bust", "overfill", "manual_cancel", "manual_edit", "manual_trade", "lives_twice"):
        with pytest.raises(TradingError, match=r"There is no|needs a known"):
            let(stage, kind)


def test_a_scenario_is_a_list_of_faults(tmp_path: Path) -> None:
    path = tmp_path / "bad_day.yaml"
    path.write_text("- kind: duplicate\n  message: execDetails\n- {kind: link_lost, seconds: 5}\n")
    assert read_scenario(path).faults == (Fault(kind=FaultKind.DUPLICATE, message=MESSAGES["execDetails"]),
                                          Fault(kind=FaultKind.LINK_LOST, seconds=5.0))


@pytest.mark.parametrize("text", ["kind: drop", "- drop", "- kind: nonsense", "- {kind: drop", ""])
def test_a_wrong_scenario_names_its_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad_day.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"bad_day\.yaml"):
        read_scenario(path)


def test_faults_are_listed_by_the_names_of_their_messages(stage: Stage) -> None:
    let(stage, "drop", message="execDetails", times=3)
    let(stage, "hold", seconds=60)
    now_s = stage.clock.elapsed_s
    assert stage.gateway.faults.rows(now_s) == [
        {"kind": "drop", "message": "execDetails", "times": 3}, {"kind": "hold", "seconds": 60.0, "lasts_s": 60.0}]


@pytest.mark.parametrize(("version", "fields"), [(178, ["4", "1", "7", ""]), (200, ["4", "7", "", "", ""])])
def test_a_refused_cancel_carries_the_id_of_its_order_at_every_version(stage: Stage, version: int,
                                                                       fields: list[str]) -> None:
    let(stage, "refuse", request="cancelOrder", code=10147)
    refusal, = stage.ask(stage.a_client(version=version), fields)
    assert refusal[:5].index("7") == (2 if version == 178 else 1)
