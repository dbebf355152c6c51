"""The world around the real stack handler: a store that may fail or kill, a daemon that sends, a broker, people."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar

from memory_orders import MemoryBooks, MemoryLocks, MemoryOrders, MemoryStore, Order
from model_broker import CONTRACTS, NUMBERS, SPREAD, ModelBroker
from moved_clock import MovedClock

from trading.broker.facts import OrderEvidence
from trading.errors import BrokerError, BrokerUnavailable, ConcurrentUpdate, DataError, NotFound, TradingError
from trading.execution.broker_messages import BrokerMessage
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.gate import GateFacts, change_problem, gate_problem
from trading.execution.kill_actions import Verified, still_out, to_cancel
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.spreads import share_a_month
from trading.risk.exposure import Effect, Holding, effect
from trading.risk.kill_level import KillLevel, KillState

Answer = TypeVar("Answer")
AnyOrder = InstrumentOrder | ContractOrder | BrokerOrder
QUOTES = {SPREAD: (Decimal("-0.25"), Decimal("0.25")), **dict.fromkeys(NUMBERS, (Decimal("99.75"), Decimal("100")))}


class Killed(BaseException):
    """The worker, and the daemon with it, died here."""


class StoreLost(TradingError):
    """The store did not answer; what was written is not known."""


@dataclass
class Durable(MemoryStore):
    """A step fails, is not answered, or is the last one, when it is told to."""

    writes: int = 0
    dies_at: tuple[int, bool] | None = None  # so many writes from now, and whether the last one still happens
    fails_at: tuple[int, bool] | None = None
    log: list[AnyOrder] = field(default_factory=list)  # each version of each order

    @property
    def will_strike(self) -> bool:
        return self.dies_at is not None or self.fails_at is not None

    def write(self, effect: Callable[[], Answer]) -> Answer:
        self.writes += 1
        dies, self.dies_at = _due(self.dies_at)
        fails, self.fails_at = _due(self.fails_at)
        if dies is False or fails is False:
            raise Killed if dies is False else StoreLost("no answer; nothing was written")
        kept = (dict(self.instrument), dict(self.contract), dict(self.broker), dict(self.fills), dict(self.locks))
        moved, written = list(self.movements), len(self.log)
        try:
            answer = effect()
        except TradingError:
            self.instrument, self.contract, self.broker, self.fills, self.locks = kept
            self.movements = moved
            del self.log[written:]
            raise
        if dies or fails:
            raise Killed if dies else StoreLost("no answer; it was written")
        return answer

    def put(self, tier: dict[str, Order], order: Order) -> Order:
        written = super().put(tier, order)
        self.log.append(written)
        return written


def _due(wish: tuple[int, bool] | None) -> tuple[bool | None, tuple[int, bool] | None]:
    """Whether it is now (True: after the effect, False: before it), and the wish that is left."""
    if wish is None:
        return None, None
    return (wish[1], None) if wish[0] <= 1 else (None, (wish[0] - 1, wish[1]))


@dataclass(frozen=True)
class Sent:
    """A new-order message, and how things stood when it left."""

    order: BrokerOrder
    link_epoch: str
    is_linked: bool
    level: KillLevel
    effect: Effect
    unknown_beside: tuple[str, ...]
    problem: str | None


@dataclass
class OrderWorld:
    """Everything outside the worker. What is in here survives its death."""

    store: Durable = field(default_factory=Durable)
    broker: ModelBroker = field(default_factory=ModelBroker)
    clock: MovedClock = field(default_factory=MovedClock)
    kill: KillState = field(default_factory=KillState)
    flag: bool = False
    compared: str = "e1"  # the connection over which the books were last found to agree with the broker
    mark: int = 0
    tick: Decimal = Decimal("0.25")
    today: str = "2026-03-02"
    next_id: int = 1
    quotes: dict[str, tuple[Decimal, Decimal] | None] = field(default_factory=dict)
    sick: set[str] = field(default_factory=set)  # contracts whose data raises
    wire: list[Sent] = field(default_factory=list)
    verified: Verified = field(default_factory=Verified)
    alerts: set[str] = field(default_factory=set)
    seen_locks: set[str] = field(default_factory=set)  # all that there ever were

    def __post_init__(self) -> None:
        self.orders, self.books = MemoryOrders(self.store), MemoryBooks(self.store)
        self.locks = MemoryLocks(self.store)
        self.quotes = dict(QUOTES)

    def instrument_position(self, instrument: str) -> int:
        return sum(lots for (_, code), lots in self.store.positions.strategies.items() if code == instrument)

    # --- the daemon -----------------------------------------------------------------------------------------------

    def gate_facts(self, order: BrokerOrder) -> GateFacts:
        known = list(self.store.broker.values())
        return GateFacts(
            kill=self.kill, is_halted_by_flag=self.flag, unreconciled=self.unreconciled, locks=self.locks.reasons(),
            parent=self.store.contract[order.parent], position=self.instrument_position(order.instrument),
            siblings=tuple(each for each in known if each.parent == order.parent),
            others=tuple(each for each in known if each.may_be_alive and each.id != order.id
                         and each.instrument == order.instrument),
            now=self.clock.now())

    @property
    def unreconciled(self) -> str | None:
        if self.compared == self.broker.epoch:
            return None
        return "the books were not compared with the broker over this connection"

    def compare(self) -> None:
        """Once everything that was said is read, the day counts as compared; a break would lock its contract."""
        if self.broker.is_linked and not self.broker.on_the_way and self.mark == len(self.broker.journal):
            self.compared = self.broker.epoch

    def submit(self, order_id: str) -> BrokerLifecycle:
        """As daemon/broker_service.py: read, gate, claim, place, mark."""
        self._refuse_unless_linked()
        order = self.orders.broker_order(order_id)
        if order.lifecycle is not BrokerLifecycle.INTENT:
            return order.lifecycle
        facts = self.gate_facts(order)
        problem = gate_problem(order, facts)
        if problem is not None:
            return self.orders.save_broker_order(order.moved(
                BrokerLifecycle.NOT_SENT, f"refused at the gate: {problem}")).lifecycle
        highest = max((each.ib_order_id or 0 for each in self.store.broker.values()), default=0)
        self.next_id = max(self.next_id, highest + 1)
        claimed = self.orders.save_broker_order(replace(
            order.moved(BrokerLifecycle.SENDING), epoch=self.broker.epoch, ib_order_id=self.next_id,
            sent=self.clock.now()))
        self._leaves(claimed, facts)
        return self.orders.save_broker_order(claimed.moved(BrokerLifecycle.SENT)).lifecycle

    def _leaves(self, order: BrokerOrder, facts: GateFacts) -> None:
        holding = Holding(position=facts.position, working_buys=_lots(facts.others, 1),
                          working_sells=_lots(facts.others, -1))
        beside = tuple(each.id for each in facts.others if each.lifecycle is BrokerLifecycle.UNKNOWN
                       and share_a_month(each.contract, order.contract))
        self.wire.append(Sent(order, self.broker.epoch, self.broker.is_linked, self.kill.level,
                              effect(order.net, holding), beside, gate_problem(order, facts)))
        self.broker.place(order)

    def change(self, order_id: str, limit: Decimal) -> BrokerLifecycle:
        """As daemon/broker_service.py: only what is confirmed as living on this connection."""
        self._refuse_unless_linked()
        order = self.orders.broker_order(order_id)
        if order.epoch != self.broker.epoch or order.lifecycle not in (BrokerLifecycle.ACKED, BrokerLifecycle.WORKING):
            raise BrokerError(f"Broker order {order_id} is not known to live on this connection.")
        problem = change_problem(order, limit, self.gate_facts(order))
        if problem is not None:
            raise BrokerError(f"The price of {order_id} was not changed: {problem}.")
        wanted = self.orders.save_broker_order(order.with_terms_wanted(limit))
        self.broker.change(wanted.ib_order_id or 0, wanted.epoch or "", limit)
        return wanted.lifecycle

    def cancel(self, order_id: str) -> None:
        self._refuse_unless_linked()
        order = self.orders.broker_order(order_id)
        if order.ib_order_id is None or not order.may_be_alive:
            raise BrokerError(f"Broker order {order_id} is {order.lifecycle} and cannot be cancelled.")
        self.broker.cancel(order.ib_order_id, order.epoch or "")

    def evidence(self, order_id: str) -> OrderEvidence:
        self.refresh()
        known = [each for each in self.broker.orders.values() if each.reference == order_id]
        traded = any(each.reference == order_id for each in self.broker.trades.values())
        return OrderEvidence(found_open=any(each.is_live for each in known), found_executed=traded,
                             found_completed=any(not each.is_live for each in known),
                             next_valid_id=self.broker.offered, epoch=self.broker.epoch)

    def renew(self) -> None:
        """The connection is made anew: what the broker offers then shows what it has seen."""
        self._refuse_unless_linked()
        self.broker.reconnects(self.broker.offered_next(), self.clock.now())

    def refresh(self) -> None:
        self._refuse_unless_linked()
        self.broker.repeat_day()
        self.broker.all_arrives(self.clock.now())

    def messages(self, after: int, wait_s: float) -> list[BrokerMessage]:
        self.clock.advance(wait_s)
        return self.broker.journal[after:]

    def _refuse_unless_linked(self) -> None:
        if not self.broker.is_linked:
            raise BrokerUnavailable("the broker link is down")

    def enforce_kill(self) -> None:
        """As daemon/kill_switch.py: cancel what the level forbids, and look whether the broker agrees."""
        if self.kill.level <= KillLevel.K1_PAUSE_SCOPE or not self.broker.is_linked:
            return
        positions = {code: self.instrument_position(code) for code in ("SP500", "GOLD")}
        for order in to_cancel(self.kill, self.store.broker.values(), positions, self.clock.now()):
            self.orders.save_broker_order(order.with_cancel_wanted(self.clock.now(), "kill level"))
            self.cancel(order.id)
        if self.kill.level >= KillLevel.K5_SEVER:
            self.broker.cancel_everything()
        at_broker = {each.reference for each in self.broker.live()}
        out = still_out(self.kill, self.store.broker.values(), positions, at_broker)
        self.verified = self.verified.after(len(out))
        (self.alerts.add if out else self.alerts.discard)("orders are out though trading is halted")

    # --- the ports of the handler ---------------------------------------------------------------------------------

    def after(self, sequence: int, limit: int = 1000) -> list[BrokerMessage]:
        return self.broker.journal[sequence:sequence + limit]

    def applied(self) -> int:
        return self.mark

    def mark_applied(self, sequence: int) -> None:
        def effect() -> None:
            self.mark = max(self.mark, sequence)
        self.store.write(effect)

    def contract_of(self, con_id: int) -> str | None:
        return CONTRACTS.get(con_id)

    def priced_contract(self, instrument: str) -> str:
        if instrument not in ("SP500", "GOLD"):
            raise NotFound(f"{instrument} has no contract.")
        return f"{instrument}/20260600"

    def look_at(self, contract: str) -> None:
        """Raise what an order of this contract meets while its data is sick."""
        if contract in self.sick:
            raise DataError(f"the data of {contract} makes no sense")



def _lots(orders: tuple[BrokerOrder, ...], side: int) -> int:
    return sum(abs(each.net_committed) for each in orders if each.net_committed * side > 0)


HARMLESS = (BrokerUnavailable, ConcurrentUpdate, StoreLost)
