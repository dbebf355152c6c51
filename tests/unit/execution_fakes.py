"""A small world for the stack handler: orders, books, journal and a broker in memory, obeying the ports' contracts.

`World.crash_at` lets the n-th call of any port fail as a killed worker would: before or after its effect.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from memory_orders import Grouped
from moved_clock import START, MovedClock

from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import OrderEvidence
from trading.errors import BrokerUnavailable, ConcurrentUpdate
from trading.execution.booking import Family, booked, foreign_lock, lock_for
from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import SENT_PERHAPS, BrokerLifecycle, BrokerOrder
from trading.execution.fills import Commission, Fill, merged
from trading.execution.locks import Lock, LockCause, reasons_of
from trading.execution.order_ids import child_number
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import ContractOrder, InstrumentOrder, StoredCheck
from trading.execution.ports import Intent, Spawned
from trading.execution.quotes import Touch
from trading.execution.spreads import Month, Spread
from trading.execution.stack_handler.algo_worker import AlgoWorker, Manners
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today
from trading.execution.stack_handler.resolver import Resolver
from trading.execution.stack_handler.stack_handler import StackHandler
from trading.risk.check import Outcome, held
from trading.risk.controls.account import ASKS_THE_BROKER
from trading.risk.order_kind import OrderKind
from trading.risk.pre_trade import Verdict

Order = TypeVar("Order", InstrumentOrder, ContractOrder, BrokerOrder)
NEAR, FAR = Month(contract="SP500/20260600", con_id=42), Month(contract="SP500/20260900", con_id=43)
CHECKED = (StoredCheck(control="RC-01", outcome="PASS", quantity=1, sentence="", at=START),)


def a_lock(instrument: str = "SP500") -> Lock:
    return Lock(instrument=instrument, cause=LockCause.OPERATOR, subject=instrument, reason="looking", opened_at=START)


class Killed(BaseException):
    """The worker died here."""


@dataclass(frozen=True)
class FakeTradable:
    con_id: int = 42
    exchange: str = "CME"
    min_tick: Decimal = Decimal("0.25")


@dataclass
class World:
    """Everything outside the stack handler. What is in here survives a killed worker."""

    clock: MovedClock = field(default_factory=MovedClock)
    fills_at_once: bool = True
    fills_per_order: int | None = None  # lots filled before the rest waits
    loses_acknowledgements: bool = False
    first_orders_lost: int = 0
    rejects: bool = False
    rejection: int = 201  # with which code
    trading_day: str = "2026-03-02"
    rejects_algos: bool = False  # orders that the broker's own algo was to work
    rejects_contract: str = ""  # orders of this one only
    quote: Touch | None = field(default_factory=lambda: Touch(bid=Decimal("99.75"), ask=Decimal("100"), at=START))
    reachable: bool = True
    style: ExecutionStyle = ExecutionStyle.MARKETABLE
    most_lots: int = 1_000
    in_flight: int | None = None  # orders that the broker may have left unheard; None: any
    judged: int = 0  # broker orders that the controls were asked about
    verdicts: list[Outcome] = field(default_factory=list)  # what the controls say, one after the other; else all passes
    margin_takes_s: float | None = None  # until the broker has said the margin of an order; None: nobody asks
    margins_asked: dict[str, datetime] = field(default_factory=dict)  # contract order -> when
    margins_heard: set[str] = field(default_factory=set)  # those whose answer the handler was woken for
    epoch: str = "e"
    renewals: int = 0
    levels: list[str] = field(default_factory=list)  # why the kill level was raised
    closes: datetime | None = None  # the end of every session
    good_till_date: bool = True
    far_trades: bool = True  # of a spread, beside its near month
    crash_at: tuple[int, bool] | None = None  # call number, and whether the effect still happens

    def __post_init__(self) -> None:
        self.tiers: dict[str, dict[str, Any]] = {"instrument": {}, "contract": {}, "broker": {}}
        self.fills: dict[str, Fill] = {}
        self.positions: dict[str, int] = {}
        self.messages: list[BrokerMessage] = []
        self.mark = 0
        self.locked: dict[str, Lock] = {}
        self.forgotten: set[str] = set()  # orders of which the broker knows nothing any more
        self.received: list[str] = []  # what reached the exchange: the oracle of exactly-once
        self.exchange_filled: dict[str, int] = {}
        self.calls = 0

    def call(self, effect: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.crash_at is not None and self.calls == self.crash_at[0]:
            if self.crash_at[1]:
                effect()
            raise Killed
        return effect()

    def say(self, kind: MessageKind, **facts: Any) -> None:
        self.messages.append(BrokerMessage(sequence=len(self.messages) + 1, at=self.clock.now(), epoch="e", kind=kind,
                                           facts=facts))

    def handler(self) -> StackHandler:
        """A fresh worker over this world."""
        market = FakeMarket(self)
        today = Today(trading_day=self.trading_day, gateway_zone=ZoneInfo("Europe/London"))
        reader = JournalReader(FakeJournal(self), FakeOrders(self), FakeBooks(self), market, FakeLocks(self), "DU1",
                               today, shipped_error_policy())
        worker = AlgoWorker(
            orders=FakeOrders(self), market=market, sender=FakeSender(self), locks=FakeLocks(self), clock=self.clock,
            controls=FakeControls(self), manners=Manners(usual_style=self.style, patience=timedelta(seconds=60),
                                                         good_till_date=self.good_till_date))
        return StackHandler(orders=FakeOrders(self), sender=FakeSender(self), locks=FakeLocks(self), reader=reader,
                            resolver=Resolver(FakeSender(self)), worker=worker, margins=FakeMargins(self),
                            clock=self.clock,
                            acknowledge_within=timedelta(seconds=5), fatal=(BrokerUnavailable,),
                            lots_by_contract=lambda code, lots: {f"{code}/20260600": lots},
                            take_back=lambda: None, compare=lambda: None,
                            judge=lambda order: replace(order, checks=CHECKED))

    def wants(self, quantity: int, order_id: str = "IO-1", instrument: str = "SP500") -> None:
        self.tiers["instrument"][order_id] = InstrumentOrder(
            id=order_id, idempotency_key=order_id, account="DU1", strategy="s", instrument=instrument,
            kind=OrderKind.STRATEGY, quantity=quantity, trading_day="2026-03-02", created=START, version=1)

    @property
    def reasons(self) -> dict[str, str]:
        return dict(reasons_of(self.locked.values()))

    @property
    def order(self) -> InstrumentOrder:
        found: InstrumentOrder = self.tiers["instrument"]["IO-1"]
        return found

    @property
    def sent(self) -> list[BrokerOrder]:
        return list(self.tiers["broker"].values())

    def arrive(self, order: BrokerOrder) -> None:
        """The order reaches the broker."""
        self.received.append(order.id)
        assert order.ib_order_id is not None
        if self.rejects or order.contract == self.rejects_contract:
            self.say(MessageKind.ERROR, request_id=order.ib_order_id, code=self.rejection,
                     text="Order rejected - reason: margin")
            return
        if self.rejects_algos and order.adaptive is not None:
            self.say(MessageKind.ERROR, request_id=order.ib_order_id, code=442,
                     text="Specified algorithm is not allowed for this order.")
            return
        perm_id = 1000 + len(self.received)
        facts = {"ib_order_id": order.ib_order_id, "reference": order.id, "perm_id": perm_id, "con_id": 42}
        if not self.loses_acknowledgements:
            self.say(MessageKind.OPEN_ORDER, status="PreSubmitted", **facts)
            self.say(MessageKind.ORDER_STATUS, status="Submitted", filled=0.0, **facts)
        if self.fills_at_once:
            self.fill(order, min(self.fills_per_order or abs(order.quantity), abs(order.quantity)))

    def fill(self, order: BrokerOrder, lots: int) -> None:
        """So many lots of `order` are executed; of a spread in both months, or in the near one alone."""
        signed = lots if order.quantity > 0 else -lots
        if order.spread is not None:
            self.execute(order, -signed, NEAR)
            if self.far_trades:
                self.execute(order, signed, FAR)
                self.exchange_filled[order.id] = self.exchange_filled.get(order.id, 0) + signed
            return
        self.exchange_filled[order.id] = self.exchange_filled.get(order.id, 0) + signed
        self.execute(order, signed, NEAR)

    def execute(self, order: BrokerOrder, signed: int, month: Month) -> None:
        """Signed lots of a contract are executed for `order`."""
        number = len([message for message in self.messages if message.kind is MessageKind.EXECUTION])
        facts = {"execution_id": f"0001.{number:04d}.01", "reference": order.id, "perm_id": 0, "ib_order_id": 0,
                 "con_id": month.con_id, "security": "FUT", "quantity": signed, "price": "100", "at": None,
                 "account": "DU1"}
        if not self.loses_acknowledgements:
            self.say(MessageKind.EXECUTION, **facts)
            self.say(MessageKind.COMMISSION, execution_id=facts["execution_id"], amount="2.05", currency="USD")
        else:
            self.withheld = facts

    withheld: dict[str, Any] | None = None


@dataclass
class FakeOrders:
    world: World

    def _list(self, tier: str) -> list[Any]:
        return [order for _, order in sorted(self.world.tiers[tier].items())]

    def _save(self, tier: str, order: Any) -> Any:
        stored = self.world.tiers[tier].get(order.id)
        if (stored.version if stored else 0) != order.version:
            raise ConcurrentUpdate(f"order {order.id}", order.version)
        self.world.tiers[tier][order.id] = replace(order, version=order.version + 1)
        return self.world.tiers[tier][order.id]

    def open_instrument_orders(self) -> list[InstrumentOrder]:
        return [order for order in self._list("instrument") if order.is_open]

    def open_contract_orders(self) -> list[ContractOrder]:
        return [order for order in self._list("contract") if order.is_open]

    def parents_of_open_legs(self) -> set[str]:
        return {order.parent for order in self.open_contract_orders()}

    def live_broker_orders(self) -> list[BrokerOrder]:
        return [order for order in self._list("broker") if order.may_be_alive]

    def contract_orders_of(self, parent: str) -> list[ContractOrder]:
        return [order for order in self._list("contract") if order.parent == parent]

    def broker_orders_of(self, parent: str) -> list[BrokerOrder]:
        found = [order for order in self._list("broker") if order.parent == parent]
        return sorted(found, key=lambda order: child_number(order.id))

    def broker_orders_under(self, parents: Collection[str]) -> Grouped:
        return Grouped({parent: self.broker_orders_of(parent) for parent in parents})

    def broker_order(self, order_id: str) -> BrokerOrder:
        found: BrokerOrder = self.world.tiers["broker"][order_id]
        return found

    def find_broker_order(self, reference: str, perm_id: int, ib_order_id: int, epoch: str) -> BrokerOrder | None:
        for order in self._list("broker"):
            if order.id == reference or (perm_id and order.perm_id == perm_id) or (
                    ib_order_id and (order.ib_order_id, order.epoch) == (ib_order_id, epoch)):
                return order  # type: ignore[no-any-return]
        return None

    def spawned_all(self, families: Sequence[Spawned]) -> list[Exception | None]:
        def effect() -> list[Exception | None]:
            for family in families:
                self._save("instrument", family.parent)
                for child in family.children:
                    self._save("contract", child)
            return [None] * len(families)
        return self.world.call(effect)  # type: ignore[no-any-return]

    def add_broker_orders(self, intents: Sequence[Intent]) -> list[BrokerOrder | Exception]:
        def effect() -> list[BrokerOrder | Exception]:
            for intent in intents:
                self._save("contract", intent.parent)
            return [self._save("broker", intent.order) for intent in intents]
        return self.world.call(effect)  # type: ignore[no-any-return]

    def save_broker_order(self, order: BrokerOrder) -> BrokerOrder:
        return self.world.call(lambda: self._save("broker", order))  # type: ignore[no-any-return]

    def save_contract_order(self, order: ContractOrder) -> None:
        self.world.call(lambda: self._save("contract", order))

    def save_instrument_order(self, order: InstrumentOrder) -> None:
        self.world.call(lambda: self._save("instrument", order))


@dataclass
class FakeBooks:
    world: World

    def apply(self, heard: Sequence[Fill | Commission]) -> list[bool]:
        return self.world.call(lambda: [  # type: ignore[no-any-return]
            self._apply(each) if isinstance(each, Fill) else each.id in self.world.fills for each in heard])

    def _apply(self, fill: Fill) -> bool:
        """As the books of the real store, by the same pure rules."""
        merge = merged(self.world.fills.get(fill.id), fill)
        if not merge.is_news:
            return False
        self.world.fills[fill.id] = merge.fill
        if fill.broker_order is not None:
            orders = FakeOrders(self.world)
            order = orders.broker_order(fill.broker_order)
            leg = self.world.tiers["contract"][order.parent]
            before = Family(broker=order, contract=leg, instrument=self.world.tiers["instrument"][leg.parent])
            after = booked(before, merge.change, False, fill.con_id)
            orders._save("broker", after.broker)
            orders._save("contract", after.contract)
            orders._save("instrument", after.instrument)
            lock = lock_for(before, after, fill)
            if lock is not None:
                self.world.locked.setdefault(lock.id, lock)
        else:
            lock = foreign_lock(merge.fill)
            assert lock is not None
            self.world.locked.setdefault(lock.id, lock)
        if fill.contract is not None:
            self.world.positions[fill.contract] = self.world.positions.get(fill.contract, 0) + merge.change
        return True

    def contract_positions(self) -> dict[str, int]:
        return dict(self.world.positions)


@dataclass
class FakeJournal:
    world: World

    def after(self, sequence: int, limit: int = 1000) -> list[BrokerMessage]:
        return self.world.messages[sequence:sequence + limit]

    def applied(self) -> int:
        return self.world.mark

    def mark_applied(self, sequence: int) -> None:
        def effect() -> None:
            self.world.mark = max(self.world.mark, sequence)
        self.world.call(effect)


@dataclass
class FakeLocks:
    world: World

    def all(self) -> list[Lock]:
        return list(self.world.locked.values())

    def reasons(self) -> dict[str, str]:
        return dict(reasons_of(self.all()))

    def lock(self, lock: Lock) -> bool:
        is_new = lock.id not in self.world.locked
        self.world.locked.setdefault(lock.id, lock)
        return is_new

    def unlock(self, lock_id: str, reason: str, now: datetime) -> None:
        self.world.locked.pop(lock_id, None)


@dataclass
class FakeControls:
    world: World

    _noted: int = 0

    def look_at(self, legs: Sequence[ContractOrder]) -> None:
        self._noted = 0

    def note(self, order: BrokerOrder) -> None:
        self._noted += 1

    def heed_new_rules(self) -> None: ...

    def has_room(self) -> bool:
        unheard = [order for order in self.world.tiers["broker"].values() if order.lifecycle in SENT_PERHAPS]
        return self.world.in_flight is None or len(unheard) + self._noted < self.world.in_flight

    def at_intent(self, leg: ContractOrder, order: BrokerOrder, touch: Touch, *, is_passive: bool) -> Verdict:
        if self._waits_for_margin(leg):
            return Verdict(quantity=0, outcome=Outcome.HOLD, checks=(held(ASKS_THE_BROKER, "asked"),),
                           settings_version="test")
        self.world.judged += 1
        outcome = self.world.verdicts.pop(0) if self.world.verdicts else Outcome.PASS
        return Verdict(quantity=order.quantity if outcome is Outcome.PASS else 0, outcome=outcome, checks=(),
                       settings_version="test")

    def _waits_for_margin(self, leg: ContractOrder) -> bool:
        if self.world.margin_takes_s is None:
            return False
        self.world.margins_asked.setdefault(leg.id, self.world.clock.now())
        return leg.id in FakeMargins(self.world).owed

    def collar(self, leg: ContractOrder, touch: Touch) -> tuple[Decimal, Decimal] | None:
        return None

    def sigma_d(self, instrument: str) -> Decimal | None:
        return None

    def most_lots(self, instrument: str) -> int:
        return self.world.most_lots

    def roll_unit(self, lots: int) -> int:
        return 1

    def closes(self, contract: str, now: datetime) -> datetime | None:
        return self.world.closes

    def raise_level(self, reason: str) -> None:
        self.world.levels.append(reason)


@dataclass
class FakeMargins:
    """A broker that says each margin after the same time, while only this world's clock goes on."""

    world: World

    @property
    def owed(self) -> dict[str, float]:
        """Contract orders that wait for an answer, and in how many seconds it comes."""
        now, takes_s = self.world.clock.now(), self.world.margin_takes_s or 0.0
        left = {order: takes_s - (now - at).total_seconds() for order, at in self.world.margins_asked.items()}
        return {order: left_s for order, left_s in left.items() if left_s > 0}

    @property
    def is_awaited(self) -> bool:
        return bool(self.owed)

    def wait(self, wait_s: float) -> bool:
        if not self._news():
            self.world.clock.advance(seconds=min([wait_s, *self.owed.values()]))
        found = self._news()
        self.world.margins_heard |= found
        return bool(found)

    def _news(self) -> set[str]:
        return self.world.margins_asked.keys() - self.owed.keys() - self.world.margins_heard


@dataclass
class FakeMarket:
    world: World

    def tradable(self, contract: str) -> FakeTradable:
        return FakeTradable()

    def touch(self, contract: str) -> Touch | None:
        return None if self.world.quote is None else replace(self.world.quote, at=self.world.clock.now())

    def contract_of(self, con_id: int) -> str | None:
        return FAR.contract if con_id == FAR.con_id else NEAR.contract

    def spread(self, near: str, far: str) -> Spread:
        return Spread(symbol="ES", currency="USD", near=NEAR, far=FAR)


@dataclass
class FakeSender:
    """The daemon: claims an intent once, then hands it to the exchange."""

    world: World

    def submit(self, order_id: str) -> str:
        return self.world.call(lambda: self._submit(order_id))  # type: ignore[no-any-return]

    def _submit(self, order_id: str) -> str:
        if not self.world.reachable:
            raise BrokerUnavailable("the broker link is down")
        orders = FakeOrders(self.world)
        order = orders.broker_order(order_id)
        if order.lifecycle is not BrokerLifecycle.INTENT:
            return order.lifecycle
        claimed = orders._save("broker", replace(
            order.moved(BrokerLifecycle.SENDING), epoch="e", ib_order_id=500 + len(self.world.tiers["broker"]),
            sent=self.world.clock.now()))
        if len(self.world.tiers["broker"]) > self.world.first_orders_lost:
            self.world.arrive(claimed)
        orders._save("broker", claimed.moved(BrokerLifecycle.SENT))
        return BrokerLifecycle.SENT

    def change(self, order_id: str, limit: Decimal) -> str:
        return self.world.call(lambda: self._change(order_id, limit))  # type: ignore[no-any-return]

    def _change(self, order_id: str, limit: Decimal) -> str:
        orders = FakeOrders(self.world)
        wanted = orders._save("broker", replace(orders.broker_order(order_id).with_terms_wanted(limit),
                                                changed_at=self.world.clock.now()))
        facts = {"ib_order_id": wanted.ib_order_id, "reference": wanted.id, "perm_id": wanted.perm_id, "con_id": 42}
        self.world.say(MessageKind.OPEN_ORDER, status="Submitted", limit=str(limit), lots=abs(wanted.quantity), **facts)
        return BrokerLifecycle.PENDING_REPLACE

    def cancel(self, order_id: str) -> None:
        self.world.call(lambda: self._cancel(order_id))

    def _cancel(self, order_id: str) -> None:
        order = FakeOrders(self.world).broker_order(order_id)
        if order_id in self.world.forgotten:
            self.world.say(MessageKind.ERROR, request_id=order.ib_order_id, code=10147, text="not found")
            return
        facts = {"ib_order_id": order.ib_order_id, "reference": order.id, "perm_id": order.perm_id, "con_id": 42}
        self.world.say(MessageKind.ORDER_STATUS, status="Cancelled",
                       filled=float(abs(self.world.exchange_filled.get(order_id, 0))), **facts)

    def refresh(self) -> None:
        """The broker repeats the day: nothing that was said is lost."""
        if self.world.withheld is not None:
            self.world.say(MessageKind.EXECUTION, **self.world.withheld)
            self.world.withheld = None

    def evidence(self, order_id: str) -> OrderEvidence:
        self.refresh()
        found = order_id in self.world.received and order_id not in self.world.forgotten
        return OrderEvidence(found_open=False, found_completed=False, found_executed=found, next_valid_id=1,
                             epoch=self.world.epoch)

    def renew(self) -> None:
        """A new connection: orders of the old one can be asked about."""
        self.world.renewals += 1
        self.world.epoch = f"e{self.world.renewals}"

    def messages(self, after: int, wait_s: float) -> list[BrokerMessage]:
        self.world.clock.advance(wait_s)
        return self.world.messages[after:]
