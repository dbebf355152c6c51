"""The real stack handler over the world of the order machine: all that knows how a handler is made is in this file."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from model_broker import ACCOUNT, NUMBERS
from order_world import OrderWorld

from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import OrderEvidence
from trading.execution.algos.limit_at_touch import Touch
from trading.execution.broker_messages import BrokerMessage
from trading.execution.stack_handler.journal_reader import JournalReader
from trading.execution.stack_handler.reports import Today
from trading.execution.stack_handler.resolver import Resolver
from trading.execution.stack_handler.stack_handler import Patience, StackHandler

WORKS_EACH_ORDER_ALONE = False  # does an exception in one order's work leave the others alone?


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
        return AContract(NUMBERS[contract])

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

    def refresh(self) -> None:
        self.world.refresh()

    def evidence(self, order_id: str) -> OrderEvidence:
        return self.world.evidence(order_id)

    def messages(self, after: int, wait_s: float) -> list[BrokerMessage]:
        return self.world.messages(after, wait_s)


def a_handler(world: OrderWorld) -> StackHandler:
    """A fresh worker, as after a restart."""
    market, sender = MachineMarket(world), MachineSender(world)
    today = Today(trading_day=world.today, gateway_zone=ZoneInfo("Europe/London"))
    reader = JournalReader(journal=world, orders=world.orders, books=world.books, market=market, locks=world.locks,
                           account=ACCOUNT, today=today, policy=shipped_error_policy())
    return StackHandler(
        orders=world.orders, market=market, sender=sender, locks=world.locks, reader=reader,
        resolver=Resolver(sender), clock=world.clock, priced_contract=world.priced_contract,
        patience=Patience(time_out=timedelta(seconds=60), acknowledge_within=timedelta(seconds=5)))
