"""What-if questions: the account after an order that is never made, the faults of the answer, no fault of orders."""

import pytest
from simulated_messages import place_order
from simulated_stage import Stage, kinds

from trading.broker.simulated.faults.fault import fault_of
from trading.broker.simulated.faults.strike import strike

UNSET = "1.7976931348623157E308"


def question(order_id: int, **terms: str) -> list[str]:
    return place_order(order_id, what_if="1", **terms)


def margins(answer: tuple[str, ...]) -> tuple[str, ...]:
    """Before, change and after, of initial margin, maintenance margin and equity each; and the currency."""
    status = answer.index("PreSubmitted")
    return (*answer[status + 1:status + 10], answer[status + 13])


def test_what_is_held_counts_and_what_closes_needs_less(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, quantity="2"))
    equity = f"{stage.gateway.statement(stage.gateway.settings.account).net_liquidation:g}"
    [more], [less] = stage.ask(client, question(2)), stage.ask(client, question(3, action="SELL"))
    assert [float(each) for each in margins(more)[:9]] == pytest.approx(
        [43500, 43500, float(equity), 21750, 21750, 0, 65250, 65250, float(equity)], rel=1e-3)
    assert float(margins(less)[3]) == pytest.approx(-21750, rel=1e-3)
    assert margins(more)[9] == "USD"


@pytest.mark.parametrize(("style", "change", "currency"), [
    ("sentinel", UNSET, "USD"), ("empty", "", "USD"), ("no_currency", "21750", "")])
def test_a_margin_that_is_none_is_told_in_each_way_that_is_known(stage: Stage, style: str, change: str,
                                                                 currency: str) -> None:
    strike(stage.gateway, fault_of({"kind": "margin", "style": style}))
    client = stage.a_client()
    [answer], [after] = stage.ask(client, question(1)), stage.ask(client, question(2))
    assert (margins(answer)[3].upper(), margins(answer)[9]) == (change, currency)
    assert (margins(after)[3], margins(after)[9]) == ("21750", "USD")


def test_a_margin_may_be_larger_than_the_account(stage: Stage) -> None:
    strike(stage.gateway, fault_of({"kind": "margin", "style": "large"}))
    [answer] = stage.ask(stage.a_client(), question(1))
    assert float(margins(answer)[6]) > float(margins(answer)[8])


@pytest.mark.parametrize("fault", [
    {"kind": "reject", "style": "error_first"}, {"kind": "drop", "message": "openOrder"},
    {"kind": "ignore", "request": "placeOrder"}, {"kind": "refuse", "request": "placeOrder", "code": 201}],
    ids=lambda fault: fault["kind"])
def test_a_fault_that_waits_for_an_order_is_not_used_up_by_a_question(stage: Stage, fault: dict[str, object]) -> None:
    strike(stage.gateway, fault_of(fault))
    client = stage.a_client()
    assert kinds(stage.ask(client, question(1))) == ["5"]
    assert kinds(stage.ask(client, place_order(2)))[:2] != ["5", "status PreSubmitted"]
    assert stage.gateway.faults.waiting == []


@pytest.mark.parametrize(("kind", "said"), [("ignore", []), ("refuse", ["error 201"])])
def test_a_question_can_be_met_with_silence_or_an_error_and_orders_go_on(stage: Stage, kind: str,
                                                                        said: list[str]) -> None:
    strike(stage.gateway, fault_of({"kind": kind, "request": "whatIf", "code": 201, "times": 0}))
    client = stage.a_client()
    assert kinds(stage.ask(client, question(1))) == said
    assert kinds(stage.ask(client, place_order(2)))[:2] == ["5", "status PreSubmitted"]


def test_questions_are_counted_apart_and_leave_nothing_behind(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, question(1))
    stage.ask(client, place_order(2))
    assert (stage.gateway.requests["whatIf"], stage.gateway.requests["placeOrder"]) == (1, 1)
    assert [order.order_id for order in stage.gateway.book.orders.values()] == [2]
