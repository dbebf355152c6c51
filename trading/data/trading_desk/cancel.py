"""Taking orders back: nothing more is sent for them, and what the broker has is cancelled by the stack handler."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from pymongo.client_session import ClientSession

from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records
from trading.errors import NotFound
from trading.execution.family_ending import Ending
from trading.execution.order_ids import story_of
from trading.execution.orders import InstrumentOrder
from trading.risk.order_kind import OrderKind


@dataclass(frozen=True, kw_only=True)
class CancelOrder(Deed):
    """Cancel an order with its whole family; any id of it will do."""

    verb: ClassVar[str] = "cancel"
    order: str

    def plan(self, records: Records, signed: Signed) -> Plan:  # noqa: ARG002 (a deed is always signed)
        root = records.orders.instrument_order(story_of(self.order))
        if not root.is_open:
            raise DeedRefused(f"{root.id} is {root.lifecycle} already ({root.close_reason}); nothing is left to "
                              f"cancel. Nothing was changed.")
        return _plan(records, [records.orders.ending_of(root)])


@dataclass(frozen=True, kw_only=True)
class CancelAll(Deed):
    """Cancel every open order, or those of one instrument."""

    verb: ClassVar[str] = "cancel-all"
    instrument: str | None = None

    def plan(self, records: Records, signed: Signed) -> Plan:  # noqa: ARG002 (a deed is always signed)
        if self.instrument is not None:
            records.check_instrument(self.instrument)
        found = [order for order in records.orders.open_instrument_orders()
                 if self.instrument in (None, order.instrument)]
        if not found:
            raise NotFound(f"No order{f' of {self.instrument}' if self.instrument else ''} is open. Nothing was "
                           f"changed.")
        return _plan(records, [records.orders.ending_of(order) for order in found])


def _plan(records: Records, endings: list[Ending]) -> Plan:
    live = [order for each in endings for order in each.live]
    closed = [each.old.id for each in endings if not each.live]
    words = [f"{_orders(closed)} closed"] if closed else []
    words += [f"{_orders([order.id for order in live])} asked back from the broker"] if live else []

    def write(session: ClientSession) -> None:
        for each in endings:
            records.orders.end(each, session)

    return Plan(before={name(each.old): _state(each.old) for each in endings},
                after={name(each.old): _state(each.new) for each in endings}, write=write,
                meaning="Nothing more is sent for them. What the broker has can still fill until it confirms the end.",
                done=f"{' and '.join(words)}.", warnings=_warnings(endings),
                story=endings[0].old.id if len(endings) == 1 else "")


def name(order: InstrumentOrder) -> str:
    """An order for a person: which, and how many lots of what."""
    lots = order.roll_quantity if order.kind is OrderKind.ROLL else order.quantity
    return f"{order.id} {order.kind} {lots:+d} {order.instrument}"


def _state(order: Any) -> str:
    filled = f", {order.filled:+d} filled" if order.filled else ""
    return f"{order.lifecycle}{f' ({order.close_reason})' if order.close_reason else ''}{filled}"


def _orders(ids: list[str]) -> str:
    return f"{ids[0]} is" if len(ids) == 1 else f"{len(ids)} orders are"


def _warnings(endings: Iterable[Ending]) -> tuple[str, ...]:
    found = []
    for each in endings:
        if each.old.kind is OrderKind.FLATTEN:
            found.append(f"{each.old.id} closes a position at level K4; without it {each.old.instrument} stays held.")
        if each.old.kind is OrderKind.ROLL:
            found.append(f"{each.old.id} rolls {each.old.instrument} out of {each.old.roll_from}.")
        if not each.changes:
            found.append(f"{each.old.id} is being cancelled already.")
    return tuple(found)
