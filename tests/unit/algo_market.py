"""A market and a broker of a few lines, for algos: it acknowledges, fills, changes and cancels when it is told to."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from broker_order_samples import NOW, a_broker_order

from trading.execution.algos.choice import begin, step
from trading.execution.algos.frame import Action, AlgoState, Cancel, Change, Look, Phase, Place, Terms
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import ContractOrder
from trading.execution.price_grid import PriceGrid
from trading.execution.quotes import Touch, Traded
from trading.risk.order_kind import OrderKind

TICK = Decimal("0.25")


def a_leg(quantity: int) -> ContractOrder:
    return ContractOrder(id="IO-1-C1", parent="IO-1", account="DU1", strategy="s", instrument="SP500",
                         contract="SP500/20260600", kind=OrderKind.STRATEGY, quantity=quantity,
                         trading_day="2026-03-02", created=NOW)


@dataclass
class AlgoMarket:
    """One order at work. `fills` says whether resting orders at or through the far price are filled."""

    quantity: int
    style: ExecutionStyle = ExecutionStyle.BEST
    bid: Decimal = Decimal("99.75")
    ask: Decimal = Decimal("100.00")
    sizes: tuple[int | None, int | None] = (None, None)
    most_lots: int = 10
    sigma_d: Decimal = Decimal(4)
    fills: bool = True
    refuses_changes: bool = False
    forgets: bool = False  # the state is written down and read back between every two looks
    now: datetime = NOW
    filled: int = 0
    children: list[BrokerOrder] = field(default_factory=list)
    placed: list[Place] = field(default_factory=list)
    prices: list[tuple[datetime, Decimal, bool]] = field(default_factory=list)  # everything that left, with its side
    actions: list[Action] = field(default_factory=list)
    quote_age: timedelta = timedelta(0)
    has_quote: bool = True
    closes: datetime | None = None
    is_cancelled: bool = False
    may_send: bool = True
    must_withdraw: bool = False
    others: int | None = 1_000  # lots that others have traded today; None: the broker tells no volume
    others_a_second: int = 10
    volume_told: int = 0
    volume_changed: datetime = NOW
    looked: datetime = NOW
    participation: Decimal = Decimal("0.05")

    def __post_init__(self) -> None:
        self.state: AlgoState = begin(a_leg(self.quantity), self.style, self.now)
        self.terms = Terms(grid=PriceGrid(tick=TICK), most_lots=self.most_lots, sigma_d=self.sigma_d,
                           limit=Decimal("99.50"), participation=self.participation)

    @property
    def living(self) -> BrokerOrder | None:
        return self.children[-1] if self.children and self.children[-1].may_be_alive else None

    @property
    def residual(self) -> int:
        return self.quantity - self.filled

    def touch(self) -> Touch | None:
        if not self.has_quote:
            return None
        return Touch(bid=self.bid, ask=self.ask, at=self.now - self.quote_age, bid_size=self.sizes[0],
                     ask_size=self.sizes[1], traded=self.traded())

    def traded(self) -> Traded | None:
        """The volume of the day, our own fills among it."""
        if self.others is None:
            return None
        volume = self.others + abs(self.filled)
        if volume != self.volume_told:
            self.volume_told, self.volume_changed = volume, self.now
        return Traded(lots=volume, changed=self.volume_changed)

    def others_trade(self) -> None:
        """As much as they do in the time since the last look."""
        if self.others is not None:
            self.others += int(self.others_a_second * (self.now - self.looked).total_seconds())
        self.looked = self.now

    def look(self) -> Action:
        """One look, and what the broker makes of it."""
        self.others_trade()
        look = Look(now=self.now, touch=self.touch(), residual=self.residual, children=len(self.children),
                    child=self.children[-1] if self.children else None, may_send=self.may_send,
                    must_withdraw=self.must_withdraw, is_cancelled=self.is_cancelled, closes=self.closes)
        self.state, action = step(self.style, self.state, look, self.terms, self.quantity)
        if self.forgets:
            self.state = AlgoState.from_dict(self.state.as_dict())
        self.actions.append(action)
        if isinstance(action, Place):
            assert self.living is None, "a second child beside a living one"
            assert abs(action.quantity) <= abs(self.residual)
            self.placed.append(action)
            self._sent(action.limit)
            self.children.append(a_broker_order(
                id=f"B{len(self.children)}", quantity=action.quantity, limit_price=action.limit, sent=self.now,
                created=self.now, adaptive=action.adaptive,
                lifecycle=BrokerLifecycle.WORKING, perm_id=1, filled=0))
        elif isinstance(action, Change):
            self._change(action.limit)
        elif isinstance(action, Cancel):
            self._become(lifecycle=BrokerLifecycle.CANCELLED)
        self.trade()
        return action

    def _change(self, limit: Decimal) -> None:
        assert self.living is not None
        last = self.living.changed_at or self.living.sent
        assert last is not None
        assert self.now - last >= timedelta(seconds=2), "changed too soon"
        self._sent(limit)
        if self.refuses_changes:
            self._become(changed_at=self.now, changes=self.living.changes + 1)
        else:
            self._become(limit_price=limit, changed_at=self.now, changes=self.living.changes + 1)

    def _sent(self, limit: Decimal) -> None:
        self.prices.append((self.now, limit, self.quantity > 0))

    def _become(self, **changes: object) -> None:
        self.children[-1] = replace(self.children[-1], **changes)  # type: ignore[arg-type]

    def trade(self) -> None:
        """Fill what stands at the far price or beyond."""
        living = self.living
        if living is None or not self.fills or living.limit_price is None:
            return
        is_there = living.limit_price >= self.ask if self.quantity > 0 else living.limit_price <= self.bid
        if is_there:
            self.fill(living.residual)

    def fill(self, lots: int) -> None:
        """So many lots, signed, of what rests."""
        assert self.living is not None
        self.filled += lots
        filled = self.living.filled + lots
        ended = {"lifecycle": BrokerLifecycle.FILLED} if filled == self.living.quantity else {}
        self._become(filled=filled, **ended)

    def until_it_rests(self) -> None:
        """Look until a broker order lives."""
        for _ in self.run(60):
            if self.living is not None:
                return
        raise AssertionError("nothing was sent within a minute")

    def run(self, seconds: float, every_s: float = 1.0) -> Iterator[Action]:
        """Look again and again; stops when the algo is done."""
        end = self.now + timedelta(seconds=seconds)
        while self.now <= end and self.state.phase is not Phase.DONE:
            yield self.look()
            self.now += timedelta(seconds=every_s)
