"""Daily, unrealised and realised profit."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_messages import a_contract, place_order
from simulated_record import ACCOUNT, NOON, later
from simulated_stage import Stage, kinds

from trading.broker.simulated.listing import ContractFacts
from trading.broker.simulated.orders import Action, Execution
from trading.broker.simulated.profit import profit

UNSET = "1.7976931348623157E308"
FACTS = ContractFacts(con_id=7, sec_type="FUT", symbol="ES", exchange="CME", currency="USD", local_symbol="ESZ1",
                      trading_class="ES", multiplier="50", magnifier=1, month="202112", expiry="20211217")
MIDNIGHT = datetime(2021, 10, 13, tzinfo=UTC)
TRADES = st.lists(st.tuples(st.integers(-3, 3).filter(bool), st.integers(90, 110)), max_size=8)


def a_fill(size: int, price: float, time: datetime) -> Execution:
    return Execution(exec_id="1.1.01", perm_id=1, client_id=8, order_id=1, con_id=7, account=ACCOUNT,
                     action=Action.BUY if size > 0 else Action.SELL, shares=abs(size), price=price, time=time,
                     commission=2.0, currency="USD", realised=None, order_ref="")


@given(yesterday=TRADES, today=TRADES)
def test_the_day_brought_what_cash_and_position_changed(yesterday: list[tuple[int, int]],
                                                        today: list[tuple[int, int]]) -> None:
    fills = [*(a_fill(size, price, MIDNIGHT - timedelta(hours=1)) for size, price in yesterday),
             *(a_fill(size, price, MIDNIGHT) for size, price in today)]
    told = profit(FACTS, fills, MIDNIGHT, 100.0, 105.0)
    held = sum(size for size, _ in yesterday)
    cash = -sum(size * price * 50.0 + 2.0 for size, price in today)
    position = held + sum(size for size, _ in today)
    assert told.daily == pytest.approx(cash + position * 105.0 * 50.0 - held * 100.0 * 50.0)
    assert told.position == position


def test_without_a_price_an_open_position_is_worth_nobody_knows_what() -> None:
    told = profit(FACTS, [a_fill(1, 100.0, MIDNIGHT)], MIDNIGHT, None, None)
    assert (told.daily, told.unrealised, told.value, told.realised) == (None, None, None, None)


def test_an_account_without_trades_made_nothing(stage: Stage) -> None:
    assert stage.ask(stage.a_client(), ["92", "5", ACCOUNT, ""]) == [("94", "5", "0", "0", UNSET)]


def test_a_fill_and_a_price_change_the_profit(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, place_order(1, contract=a_contract()))
    con_id = str(stage.gateway.book.account(ACCOUNT).open_holdings()[0].con_id)
    stage.move_to(later(1))
    client.take_outbox()
    whole, single = stage.ask(client, ["92", "5", ACCOUNT, ""]) + stage.ask(client, ["94", "6", ACCOUNT, "", con_id])
    assert whole == ("94", "5", "-8.5", "-8.5", UNSET)
    assert single == ("95", "6", "1", "-8.5", "-8.5", UNSET, "217500")
    stage.move_to(later(2))
    assert [message for message in client.take_outbox() if message[0] in ("94", "95")] == []
    stage.move_to(later(10))
    heard = [message for message in client.take_outbox() if message[0] in ("94", "95")]
    assert heard == [("94", "5", "-508.5", "-508.5", UNSET), ("95", "6", "1", "-508.5", "-508.5", UNSET, "217000")]


def test_a_contract_that_was_never_held_has_no_figures(stage: Stage) -> None:
    assert stage.ask(stage.a_client(), ["94", "6", ACCOUNT, "", "77"]) == [("95", "6", "0", *[UNSET] * 4)]


def test_a_cancelled_profit_is_quiet(stage: Stage) -> None:
    client = stage.a_client()
    stage.ask(client, ["92", "5", ACCOUNT, ""])
    assert kinds(stage.ask(client, ["92", "5", ACCOUNT, ""])) == ["error 102"]
    assert stage.ask(client, ["93", "5"]) == []
    assert kinds(stage.ask(client, ["93", "5"]) + stage.ask(client, ["95", "5"])) == ["error 300"] * 2


def test_profit_of_a_strange_account_is_refused(stage: Stage) -> None:
    assert kinds(stage.ask(stage.a_client(), ["92", "5", "DU9999999", ""])) == ["error 321"]
    assert stage.clock.now() == NOON
