"""What makes the stack handler work again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from trading.execution.order_states import Lifecycle
from trading.execution.orders import InstrumentOrder
from trading.execution.stack_handler.sight import Sight
from trading.risk.kill_level import KillState
from trading.risk.order_kind import OrderKind

NOTHING = Sight(wanted=(), living=(), locks=(), kill=KillState(), overrides=(), asked=0)
ORDER = InstrumentOrder(
    id="IO-1", idempotency_key="k", account="DU1", strategy="s", instrument="SP500", kind=OrderKind.STRATEGY,
    quantity=1, trading_day="2026-03-02", created=datetime(2026, 3, 2, 20, tzinfo=UTC), lifecycle=Lifecycle.OPEN)
OTHER = replace(ORDER, id="IO-2")


def wanting(*orders: InstrumentOrder) -> Sight:
    return replace(NOTHING, wanted=orders)


@pytest.mark.parametrize(("now", "before", "has_more"), [
    ((), (), False), ((ORDER,), (ORDER,), False), ((), (ORDER,), False), ((ORDER,), (), True),
    ((OTHER,), (ORDER,), True), ((replace(ORDER, filled=1),), (ORDER,), False)])
def test_an_order_that_came_while_it_worked_is_not_missed(now: tuple[InstrumentOrder, ...],
                                                          before: tuple[InstrumentOrder, ...], has_more: bool) -> None:
    assert wanting(*now).has_more_than(wanting(*before)) is has_more


@pytest.mark.parametrize(("lifecycle", "is_open"), [(Lifecycle.OPEN, True), (Lifecycle.CREATED, False)])
def test_only_an_order_that_may_trade_is_looked_at_sooner(lifecycle: Lifecycle, is_open: bool) -> None:
    assert wanting(replace(ORDER, lifecycle=lifecycle)).has_open is is_open
    assert not NOTHING.has_open


def test_anything_that_changed_is_another_sight() -> None:
    assert wanting(ORDER) == wanting(replace(ORDER))
    assert wanting(ORDER) != wanting(replace(ORDER, version=2))
    assert replace(NOTHING, asked=1) != NOTHING
    assert replace(NOTHING, overrides=("reduce-only",)) != NOTHING
