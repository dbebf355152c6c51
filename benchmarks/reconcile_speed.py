"""Ten thousand orders of ours beside ten thousand rows of the broker's, a hundredth of them different."""

import time
from datetime import UTC, datetime
from decimal import Decimal

from trading.execution.adjustments import Positions
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.reconciliation.broker_view import BrokerView, Part, SeenOrder
from trading.execution.reconciliation.find_breaks import find_breaks
from trading.execution.reconciliation.our_view import OurView
from trading.risk.order_kind import OrderKind

ORDERS, ROUNDS = 10_000, 5
NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


def measure() -> dict[str, float]:
    """Own processor time of one comparison, the best of some."""
    ours = [an_order(number) for number in range(ORDERS)]
    live = tuple(order for order in ours if order.may_be_alive)
    view = OurView(at=NOW, today=NOW.date(), positions=Positions(contracts={}, strategies={}), live=live,
                   ended=tuple(order for order in ours if not order.may_be_alive))
    theirs = BrokerView(epoch="e", at=NOW, answered=frozenset(Part) - {Part.CASH, Part.CONTRACTS},
                        open_orders=tuple(seen(order, number) for number, order in enumerate(live)),
                        completed_orders=tuple(seen(order, 1) for order in view.ended))
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        breaks = find_breaks(view, theirs)
        taken.append(time.process_time() - began)
    return {"cpu_ms": 1000 * min(taken), "breaks": float(len(breaks)), "live": float(len(live))}


def an_order(number: int) -> BrokerOrder:
    """Two hundred of them live, the others have ended."""
    return BrokerOrder(
        id=f"{number:026}-C1-B1", parent=f"IO-{number:026}-C1", account="DU1", strategy="s", instrument="X",
        contract="X/20260600", con_id=1, exchange="CME", kind=OrderKind.STRATEGY, quantity=5, order_type="LMT",
        limit_price=Decimal("100"), time_in_force="DAY", bid=Decimal("99.75"), ask=Decimal("100"),
        trading_day="2026-03-02", created=NOW, sent=NOW, perm_id=number + 1, ib_order_id=number + 1, epoch="e",
        lifecycle=BrokerLifecycle.WORKING if number < 200 else BrokerLifecycle.CANCELLED)


def seen(order: BrokerOrder, number: int) -> SeenOrder:
    """As we know it, but every hundredth at another price."""
    limit = Decimal("99") if number % 100 == 0 else order.limit_price
    status = "Submitted" if order.may_be_alive else "Cancelled"
    return SeenOrder(reference=order.id, perm_id=order.perm_id or 0, contract=order.contract, status=status, lots=5,
                     limit=limit)


if __name__ == "__main__":
    print(measure())
