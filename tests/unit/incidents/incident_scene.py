"""One worker over the world of the order machine, and words for what happens to it."""

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

from memory_orders import a_decision
from model_broker import Known
from order_world import OrderWorld
from stack_adapter import a_handler

from trading.errors import BrokerUnavailable
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerOrder

PRICE = Decimal("100")


class Scene:
    """Everything works unless a test breaks it."""

    def __init__(self) -> None:
        self.world = OrderWorld()
        self.worker = a_handler(self.world)
        self._decisions = 0

    # --- we -------------------------------------------------------------------------------------------------------

    def decides(self, lots: int, instrument: str = "SP500") -> None:
        """A strategy wants to trade."""
        self._decisions += 1
        self.world.orders.add_instrument_order(a_decision(
            f"IO-{self._decisions:026d}", lots, self.world.clock.now(), instrument=instrument,
            trading_day=self.world.today))

    def works(self, passes: int = 3, seconds: float = 1) -> None:
        """So many passes, each after whatever has arrived."""
        for _ in range(passes):
            self.world.broker.all_arrives(self.world.clock.now())
            self.worker.reader.apply_new()
            self.world.compare()
            with suppress(BrokerUnavailable):  # the job ends, and is tried again
                self.worker.one_pass()
            self.world.clock.advance(seconds)

    def reads(self) -> None:
        """Only what the broker has said is read."""
        self.world.broker.all_arrives(self.world.clock.now())
        self.worker.reader.apply_new()

    def restarts(self) -> None:
        """A new worker over the same store."""
        self.worker = a_handler(self.world)

    def sends(self, lots: int, instrument: str = "SP500") -> Known:
        """A decision that has become an order at the broker."""
        self.decides(lots, instrument)
        before = len(self.world.broker.received)
        self.works()
        assert len(self.world.broker.received) == before + 1
        return next(each for each in self.world.broker.orders.values()
                    if each.reference == self.world.broker.received[-1])

    def order(self, place: int = -1) -> BrokerOrder:
        """The newest broker order of ours, or another one."""
        return list(self.world.store.broker.values())[place]

    @property
    def positions(self) -> dict[str, int]:
        return dict(self.world.store.positions.contracts)

    @property
    def received(self) -> int:
        """New orders that have reached the broker."""
        return len(self.world.broker.received)

    @property
    def locks(self) -> list[str]:
        return sorted(each.cause.value for each in self.world.store.locks.values())

    # --- the broker -----------------------------------------------------------------------------------------------

    def now(self, known: Known) -> Known:
        """The order as the broker knows it by now."""
        return self.world.broker.orders[known.perm_id]

    def fills(self, known: Known, lots: int) -> None:
        self.world.broker.fills(self.now(known), lots, PRICE)

    def error(self, known: Known, code: int, text: str = "something") -> None:
        self.world.broker.say(MessageKind.ERROR, request_id=known.ib_order_id, code=code, text=text)

    def status(self, known: Known, word: str, **facts: Any) -> None:
        self.world.broker.say(MessageKind.ORDER_STATUS, **{
            "ib_order_id": 0, "reference": known.reference, "perm_id": known.perm_id, "con_id": known.con_id,
            "status": word, "filled": float(abs(known.filled))} | facts)

    def says_everything_again(self) -> None:
        self.world.broker.repeat_day()
        for kind, facts in self.world.broker.on_the_way:
            self.world.broker.hears(kind, facts, self.world.clock.now())  # past the filter of echoes
        self.world.broker.on_the_way = []

    def disconnects_during(self, act: Callable[[], None]) -> None:
        """What the broker does while nobody listens."""
        self.world.broker.disconnects()
        act()
        self.world.broker.on_the_way = []

    def reconnects(self, offered: int | None = None) -> None:
        self.world.next_id = self.world.next_id + 1 if offered is None else offered
        self.world.broker.reconnects(self.world.next_id, self.world.clock.now())
