"""The rules that the model runs on: ours, or one of ours replaced by the mistake of the first design (section 8)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from trading.execution.booking import Family, booked
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import Fill, Merge, merged
from trading.execution.order_ids import broker_order_id
from trading.execution.order_states import FillState, fill_state
from trading.execution.orders import ContractOrder

_B = BrokerLifecycle


def what_it_was(stored: BrokerOrder) -> BrokerOrder:
    """What becomes of an order when sending it fails: nothing, it stays claimed, and is asked for."""
    return stored


@dataclass(frozen=True)
class Rules:
    """What can be got wrong."""

    name: str = "ours"
    attempts: int = 2  # broker orders of one contract order; a bound of the model
    order: type[BrokerOrder] = BrokerOrder
    id_of: Callable[[ContractOrder], str] = broker_order_id
    after_exception: Callable[[BrokerOrder], BrokerOrder] = what_it_was
    merged: Callable[[Fill | None, Fill], Merge] = merged
    booked: Callable[[Family, int, bool, int], Family] = booked
    records_first: bool = True
    keeps_id_floor: bool = True
    waits_for_the_sender: bool = True
    late_bytes_end_in_time: bool = True  # what was on its way when a connection broke has arrived, or never will


OURS: Final = Rules()


class SentIsInvisible(BrokerOrder):
    """S-05: the filter of live orders does not know "submitted"."""

    @property
    def may_be_alive(self) -> bool:
        return self.lifecycle in {_B.INTENT, _B.ACKED, _B.WORKING, _B.PENDING_CANCEL, _B.PENDING_REPLACE}


def rejected_by_exception(stored: BrokerOrder) -> BrokerOrder:
    """S-03."""
    return stored.advanced(_B.REJECTED, "an exception")


def revived_by_a_fill(family: Family, change: int, is_correction: bool, con_id: int = 0) -> Family:
    """S-07: whatever was, an order with some of its lots is "partially filled"."""
    after = booked(family, change, is_correction, con_id)
    is_part = fill_state(after.broker.quantity, after.broker.filled) is FillState.PARTIAL
    return replace(after, broker=replace(after.broker, lifecycle=_B.WORKING)) if is_part else after


def without_execution_id(_: Fill | None, heard: Fill) -> Merge:
    """S-11: each report is one more fill."""
    return Merge(fill=heard, change=heard.quantity, is_news=True)


def id_of_this_millisecond(leg: ContractOrder) -> str:
    """S-16: contract and time; in the model it is always the same millisecond."""
    return f"{leg.contract}-20260302200000000"


SEEDED: Final = (
    replace(OURS, name="S-02 sends before it records", records_first=False),
    replace(OURS, name="S-03 takes any exception for a rejection", after_exception=rejected_by_exception),
    replace(OURS, name="S-05 does not see submitted orders", order=SentIsInvisible),
    replace(OURS, name="S-07 lets a late fill revive an order", booked=revived_by_a_fill),
    replace(OURS, name="S-11 knows no execution ids", merged=without_execution_id),
    replace(OURS, name="S-16 makes ids of contract and millisecond", id_of=id_of_this_millisecond),
    replace(OURS, name="believes a next id that went back", keeps_id_floor=False),
)
