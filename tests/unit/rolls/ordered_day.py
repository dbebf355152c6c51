"""What the shipped rules order on one day in an instrument: the roll, and what its strategies trade beside it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from trading.execution.order_generators.roll_orders import Demand, roll_orders
from trading.execution.orders import Decision
from trading.execution.rolls.states import RollState
from trading.execution.rolls.strategy_trades import RollLeg, strategy_trade
from trading.objects.contracts import Contract
from trading.risk.order_kind import OrderKind

MARCH, JUNE = Contract.of("SP500", "20260300"), Contract.of("SP500", "20260600")
DECISION = Decision(account="DU1", trading_day="2026-03-02", now=datetime(2026, 3, 2, 20, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """Signed lots: `roll` of the next month for as many of the front one, `own` of the strategies in either."""

    roll: int = 0
    closed: int = 0  # of the front contract alone
    own_front: int = 0
    own_forward: int = 0

    @property
    def front(self) -> int:
        return self.closed + self.own_front - self.roll

    @property
    def forward(self) -> int:
        return self.own_forward + self.roll


@dataclass(frozen=True)
class Months:
    front_lots: int
    forward_lots: int
    front: Contract = MARCH
    forward: Contract = JUNE


def ordered(state: RollState, front: int, forward: int, trade: int = 0, *, may_go_on: bool = False) -> Ordered:
    """All of it, for a single strategy that holds both contracts and wants `trade`."""
    demand = Demand(state=state, trade=trade, may_go_on=may_go_on)
    orders = roll_orders(Months(front, forward), demand, {"s": front + forward}, DECISION)
    own = {leg.contract: leg.quantity for leg in strategy_trade(state, front, forward, trade)}
    return Ordered(roll=sum(order.roll_quantity or 0 for order in orders),
                   closed=sum(order.quantity for order in orders if order.kind is OrderKind.CLOSE_OUT),
                   own_front=own.get(RollLeg.FRONT, 0), own_forward=own.get(RollLeg.FORWARD, 0))
