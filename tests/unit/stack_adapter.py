"""The real stack handler over the world of the order machine: all that knows how a handler is made is in this file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from model_broker import ACCOUNT, NUMBERS, SPREAD
from order_world import OrderWorld, StoreLost

from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import COMBINATION, OrderEvidence
from trading.data.risk.margin_desk import NobodyAsks
from trading.errors import BrokerUnavailable
from trading.execution.broker_messages import BrokerMessage
from trading.execution.broker_orders import BrokerOrder
from trading.execution.order_states import ExecutionStyle
from trading.execution.orders import ContractOrder, InstrumentOrder, StoredCheck
from trading.execution.quotes import Touch
from trading.execution.spreads import Month, Spread
from trading.execution.stack_handler.algo_worker import AlgoWorker, Manners
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today
from trading.execution.stack_handler.resolver import Resolver
from trading.execution.stack_handler.stack_handler import StackHandler
from trading.risk.check import Outcome
from trading.risk.pre_trade import Verdict


@dataclass(frozen=True)
class AContract:
    con_id: int
    exchange: str = "CME"
    min_tick: Decimal = Decimal("0.25")


@dataclass
class MachineMarket:
    """Contracts and their quotes; some are sick."""

    world: OrderWorld

    def tradable(self, contract: str) -> AContract:
        return AContract(COMBINATION if contract == SPREAD else NUMBERS[contract])

    def spread(self, near: str, far: str) -> Spread:
        """Of the months that are asked for, as the broker knows them."""
        return Spread(symbol="ES", currency="USD", near=Month(contract=near, con_id=NUMBERS[near]),
                      far=Month(contract=far, con_id=NUMBERS[far]))

    def touch(self, contract: str) -> Touch | None:
        self.world.look_at(contract)
        quote = self.world.quotes[contract]
        return None if quote is None else Touch(bid=quote[0], ask=quote[1], at=self.world.clock.now())

    def contract_of(self, con_id: int) -> str | None:
        return self.world.contract_of(con_id)


@dataclass
class MachineSender:
    """The daemon's side of the broker link."""

    world: OrderWorld

    def submit(self, order_id: str) -> str:
        return self.world.submit(order_id)

    def cancel(self, order_id: str) -> None:
        self.world.cancel(order_id)

    def change(self, order_id: str, limit: Decimal) -> str:
        return self.world.change(order_id, limit)

    def refresh(self) -> None:
        self.world.refresh()

    def evidence(self, order_id: str) -> OrderEvidence:
        return self.world.evidence(order_id)

    def renew(self) -> None:
        self.world.renew()

    def messages(self, after: int, wait_s: float) -> list[BrokerMessage]:
        return self.world.messages(after, wait_s)


@dataclass
class MachineControls:
    """Nothing is refused at the intent: what the gate and the stores refuse must be enough."""

    world: OrderWorld

    def at_intent(self, leg: ContractOrder, order: BrokerOrder, touch: Touch, *, is_passive: bool) -> Verdict:
        return Verdict(quantity=order.quantity, outcome=Outcome.PASS, checks=(), settings_version="machine")

    def look_at(self, legs: Sequence[ContractOrder]) -> None:
        """It reads nothing."""

    def note(self, order: BrokerOrder) -> None:
        """It counts nothing."""

    def has_room(self) -> bool:
        return True

    def heed_new_rules(self) -> None:
        """It sets none."""

    def collar(self, leg: ContractOrder, touch: Touch) -> tuple[Decimal, Decimal] | None:
        return None

    def sigma_d(self, instrument: str) -> Decimal | None:
        return None

    def most_lots(self, instrument: str) -> int:
        return 1_000

    def roll_unit(self, lots: int) -> int:
        return 1

    def closes(self, contract: str, now: datetime) -> datetime | None:
        return None

    def raise_level(self, reason: str) -> None:
        """No control of this machine asks for it."""


def judged(order: InstrumentOrder) -> InstrumentOrder:
    """Passed by every control of the decision."""
    return replace(order, checks=(StoredCheck(control="RC-01", outcome="PASS", quantity=order.quantity, sentence="",
                                              at=order.created),))


def a_handler(world: OrderWorld) -> StackHandler:
    """A fresh worker, as after a restart."""
    market, sender = MachineMarket(world), MachineSender(world)
    today = Today(trading_day=world.today, gateway_zone=ZoneInfo("Europe/London"))
    reader = JournalReader(journal=world, orders=world.orders, books=world.books, market=market, locks=world.locks,
                           account=ACCOUNT, today=today, policy=shipped_error_policy())
    worker = AlgoWorker(orders=world.orders, market=market, sender=sender, locks=world.locks, clock=world.clock,
                        controls=MachineControls(world),
                        manners=Manners(usual_style=ExecutionStyle.MARKETABLE, patience=timedelta(seconds=60)))
    return StackHandler(
        orders=world.orders, sender=sender, locks=world.locks, reader=reader, resolver=Resolver(sender), worker=worker,
        margins=NobodyAsks(), clock=world.clock, acknowledge_within=timedelta(seconds=5),
        fatal=(BrokerUnavailable, StoreLost), judge=judged, take_back=lambda: None, compare=lambda: None,
        lots_by_contract=lambda instrument, lots: {world.priced_contract(instrument): lots})
