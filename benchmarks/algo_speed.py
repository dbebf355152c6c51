"""Two hundred algos at five quotes a second each, as a share of a core; and positions folded from a million fills."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.execution.adjustments import Movement, fold
from trading.execution.algos.choice import begin, step
from trading.execution.algos.frame import AlgoState, Change, Look, Place, Terms
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.broker_terms import BrokerTerms
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import ContractOrder
from trading.execution.price_grid import PriceGrid
from trading.execution.quotes import Touch
from trading.risk.order_kind import OrderKind

ALGOS, QUOTES_PER_S, SECONDS, FILLS = 200, 5, 60, 1_000_000
START, TICK = datetime(2026, 3, 2, 20, tzinfo=UTC), Decimal("0.25")
TERMS = Terms(grid=PriceGrid(tick=TICK), most_lots=10, sigma_d=Decimal(40))


class OneAlgo:
    """An order that is never filled: around every other one the market wanders, before the others it runs away."""

    def __init__(self, number: int) -> None:
        self.number, self.changes = number, 0
        self.leg = ContractOrder(id=f"IO-{number}-C1", parent=f"IO-{number}", account="DU1", strategy="s",
                                 instrument="X", contract="X/20260600", kind=OrderKind.STRATEGY, quantity=5,
                                 trading_day="2026-03-02", created=START)
        self.state = begin(self.leg, ExecutionStyle.BEST, START)
        self.child: BrokerOrder | None = None

    def look(self, quote: int) -> None:
        """One quote, the state written down and read again as between two looks of the stack handler."""
        now = START + timedelta(seconds=quote / QUOTES_PER_S)
        ticks = quote // 10 if self.number % 2 else (quote * 7 + self.number) % 5
        bid = 100 + TICK * ticks
        touch = Touch(bid=bid, ask=bid + TICK, at=now)
        state = AlgoState.from_dict(self.state.as_dict())
        self.state, action = step(ExecutionStyle.BEST, state, Look(
            now=now, touch=touch, residual=5, child=self.child, children=int(self.child is not None)), TERMS, 5)
        if isinstance(action, Place):
            _, (order,) = self.leg.create_broker_orders([action.quantity], 0, BrokerTerms(
                con_id=1, exchange="CME", limit_price=action.limit, touch=touch, created=now))
            self.child = order.moved(BrokerLifecycle.SENDING).advanced(BrokerLifecycle.WORKING)
        elif isinstance(action, Change) and self.child is not None:
            self.changes += 1
            self.child = self.child.with_terms_wanted(action.limit).with_terms_told(action.limit, 5)


def measure_algos() -> dict[str, float]:
    """Percent of a core."""
    algos = [OneAlgo(number) for number in range(ALGOS)]
    began = time.process_time()
    for quote in range(SECONDS * QUOTES_PER_S):
        for algo in algos:
            algo.look(quote)
    cpu_s = time.process_time() - began
    return {"cpu_percent": 100 * cpu_s / SECONDS, "look_us": 1e6 * cpu_s / (SECONDS * QUOTES_PER_S * ALGOS),
            "changes": float(sum(algo.changes for algo in algos))}


def measure_fold() -> dict[str, float]:
    """Seconds for a million fills of two hundred contracts and ten strategies."""
    rows = [(f"X{number % 200}/20260600", f"s{number % 10}", f"X{number % 200}", 1 if number % 3 else -1)
            for number in range(FILLS)]
    began = time.perf_counter()
    found = fold(Movement(contract=contract, strategy=strategy, instrument=instrument, lots=lots)
                 for contract, strategy, instrument, lots in rows)
    fold_s = time.perf_counter() - began
    assert sum(found.contracts.values()) == sum(lots for *_, lots in rows)
    return {"fold_s": fold_s, "fills_per_s": FILLS / fold_s}


if __name__ == "__main__":
    print(measure_algos(), measure_fold())
